import { performance } from 'node:perf_hooks'

/** When the first module of the Lambda door was evaluated: it is imported before all others. */
export const loadedMs = performance.now()
