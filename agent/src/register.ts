/** `node --import @hotspan/agent/register app.js`: tracing before the app's first line, configured by the environment. */
import { isDisabled } from './disabled.ts'

if (!isDisabled(process.env)) {
  try {
    if (process.env.OTEL_METRICS_EXPORTER || process.env.HOTSPAN_ACCOUNTING) await import('./all-parts.ts')
    const { start } = await import('./agent.ts')
    const { loadFrameworks } = await import('./instrumentations/framework-packages.ts')
    const { installedPackages, workingFolder } = await import('./instrumentations/installed.ts')
    await loadFrameworks(installedPackages(process.argv[1], workingFolder()))
    start()
  } catch (error) {
    // The app comes first: it runs, untraced.
    process.stderr.write(
      `[hotspan] the agent does not start: ${error instanceof Error ? error.stack : String(error)}\n`,
    )
  }
}
