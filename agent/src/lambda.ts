/**
 * Door `@hotspan/agent/lambda`: starts the agent when it is imported, before the function's own packages, and wraps handlers.
 * `export const handler = wrapHandler(async (event) => ...)`
 */
import './lambda/init-clock.ts'
import { performance } from 'node:perf_hooks'
import { start } from './agent.ts'
import { isDisabled } from './disabled.ts'
import { loadedMs } from './lambda/init-clock.ts'
import { tookToStart } from './lambda/wrap-handler.ts'

if (!isDisabled(process.env)) {
  start()
  tookToStart(performance.now() - loadedMs)
}

export { type LambdaContext, wrapHandler } from './lambda/wrap-handler.ts'
