/** `node --import @hotspan/agent/register app.js`: tracing before the app's first line, configured by the environment. */
import { isDisabled } from './disabled.ts'

if (!isDisabled(process.env)) {
  const { start } = await import('./agent.ts')
  start()
}
