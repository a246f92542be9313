/** `node --import @hotspan/agent/register app.js`: tracing before the app's first line, configured by the environment. */
import { isDisabled } from './disabled.ts'

if (!isDisabled(process.env)) {
  try {
    const { start } = await import('./agent.ts')
    start()
  } catch (error) {
    // The app comes first: it runs, untraced.
    process.stderr.write(
      `[hotspan] the agent does not start: ${error instanceof Error ? error.stack : String(error)}\n`,
    )
  }
}
