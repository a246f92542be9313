import { exceptionsOfTraces, type Store, type StoredException } from '@hotspan/collector'
import type { FoundTrace } from './find-trace.ts'

/** Errors are told when they happen, which in a page may be long after the last span of its load, or before the first that was kept. */
const laterMs = 3_600_000
const earlierMs = 60_000

/** Errors that applications reported within a trace, by time. */
export const exceptionsOf = (store: Store, found: FoundTrace): Promise<StoredException[]> =>
  exceptionsOfTraces(store, { fromMs: found.fromMs - earlierMs, toMs: found.toMs + laterMs }, [found.traceId])
