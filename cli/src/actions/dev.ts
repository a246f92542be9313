import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Collector, createCollector } from '@hotspan/collector'
import { settings, settle } from '../config/settings.ts'
import { apiRoutes } from '../live/api-routes.ts'
import { LiveReport } from '../live/live-report.ts'
import { storeLine } from '../live/store-line.ts'
import { agentEnvironment } from '../process/agent-environment.ts'
import { nextFreePort } from '../process/free-port.ts'
import { note } from '../process/output.ts'
import { runChild } from '../process/run-child.ts'
import { onStopSignals, untilSignal } from '../process/signals.ts'
import { type StoreFlags, type StorePlace, storeBounds, storePlace } from '../process/store-options.ts'
import type { SetExit } from '../program.ts'
import * as facts from '../render/finding-facts.ts'
import { count } from '../render/numbers.ts'
import { columnsOf, wantsColor } from '../render/terminal.ts'
import { renderFindingText } from '../render/text.ts'

export interface DevFlags extends StoreFlags {
  readonly otlpPort?: string
  readonly pagePort?: string
  readonly service?: string
}

/** A port that a person named is taken as it is; a default one gives way to the next free. */
const startCollector = async (place: StorePlace, flags: DevFlags, live: LiveReport): Promise<Collector> => {
  const host = settle(settings.host, undefined, process.env, place.config).value
  const otlp = settle(settings.otlpHttpPort, flags.otlpPort, process.env, place.config)
  const page = settle(settings.pagePort, flags.pagePort, process.env, place.config)
  const otlpHttpPort =
    otlp.origin === 'default' ? await nextFreePort(otlp.value, host, [page.value]) : otlp.value
  const pagePort =
    page.origin === 'default' ? await nextFreePort(page.value, host, [otlpHttpPort]) : page.value
  if (otlp.origin === 'default' && otlpHttpPort !== otlp.value)
    note(`hotspan  port ${otlp.value} is taken, using ${otlpHttpPort || 'a free one'} for OTLP`)
  if (page.origin === 'default' && pagePort !== page.value)
    note(`hotspan  port ${page.value} is taken, using ${pagePort || 'a free one'} for the page`)
  return await createCollector({
    dataDir: place.dataDir,
    project: place.project,
    host,
    otlpHttpPort,
    otlpGrpcPort: await grpcPort(place, host, [otlpHttpPort, pagePort]),
    pagePort,
    routes: apiRoutes(live),
    ...storeBounds({}, place.config),
    jobs: [live.job],
  })
}

/** Of less use than OTLP/HTTP here: it gives way silently. */
const grpcPort = async (place: StorePlace, host: string, taken: readonly number[]): Promise<number> => {
  const { value, origin } = settle(settings.otlpGrpcPort, undefined, process.env, place.config)
  if (origin !== 'default') return value
  return taken[0] === 0 ? 0 : await nextFreePort(value, host, taken)
}

/** `OTEL_SERVICE_NAME` for the command: the flag, the variable, the package's name, the directory's. */
const serviceName = (flag: string | undefined): string => {
  if (flag !== undefined) return flag
  if ((process.env.OTEL_SERVICE_NAME ?? '') !== '') return process.env.OTEL_SERVICE_NAME!
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(process.cwd(), 'package.json'), 'utf8'))
    if (
      typeof manifest === 'object' &&
      manifest !== null &&
      'name' in manifest &&
      typeof manifest.name === 'string' &&
      manifest.name !== ''
    )
      return manifest.name
  } catch {
    // No package here.
  }
  return basename(process.cwd()) || 'app'
}

export const runDev = async (command: string[], flags: DevFlags, setExit: SetExit): Promise<void> => {
  if (process.env.HOTSPAN_CLICKHOUSE_URL) note('hotspan  using the ClickHouse of HOTSPAN_CLICKHOUSE_URL')
  const place = await storePlace(flags)
  const startedAtMs = Date.now()
  const color = wantsColor(process.stderr, process.env)
  const width = columnsOf(process.stderr)
  const live = new LiveReport({
    fromMs: startedAtMs,
    warmUpSec: settle(settings.warmUpSec, undefined, process.env, place.config).value,
    minTraces: settle(settings.minTraces, undefined, process.env, place.config).value,
    minMinutes: settle(settings.minMinutes, undefined, process.env, place.config).value,
    onConfirmed: (finding) => note(`\n${renderFindingText(finding, { color, width, brief: true })}`),
  })
  // A signal while the collector starts must not leave its engine behind.
  let stopped = false
  const forget = onStopSignals(() => {
    stopped = true
  })
  const collector = await startCollector(place, flags, live)
  live.use(collector.store, () => storeLine(collector.stats()))
  try {
    note(`hotspan  page ${collector.pageUrl}  OTLP ${collector.otlpUrl}`)
    if (stopped) return setExit(130)
    if (command.length === 0) {
      note('Send OTLP/HTTP there, or run: hotspan dev -- node app.js. Stop with Ctrl-C.')
      const signal = untilSignal()
      forget()
      await signal
    } else {
      const env = agentEnvironment(process.env, {
        otlpUrl: collector.otlpUrl,
        service: serviceName(flags.service),
      })
      const child = runChild(command, env)
      forget()
      setExit((await child).exitCode)
    }
    // The last spans of the command are on disk already: a second signal may end us here, and the journal is read at the next start.
    const hurry = onStopSignals(() => process.exit(130))
    await collector.flush()
    const { report } = await live.refresh()
    hurry()
    const { spans, traces } = report.coverage
    if (spans === 0) note('hotspan  no spans arrived')
    else {
      note(`hotspan  ${facts.verdictLine(report)} in ${count(spans, 'span')} of ${count(traces, 'trace')}`)
      const hidden = report.findings.length - facts.shownFindings(report, false).length
      if (hidden > 0) note(`hotspan  ${count(hidden, 'possible finding')} more: hotspan analyze --possible`)
      note('hotspan  again, with all details: hotspan analyze')
    }
    for (const candidate of report.candidates.slice(0, 5)) {
      note(
        `  ${candidate.title}  ${candidate.operation}  ${facts.notConfirmed(candidate.traces, candidate.minutes)}`,
      )
    }
  } finally {
    await collector.close()
  }
}
