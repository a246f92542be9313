import { createCollector, readAccessFile } from '@hotspan/collector'
import { isLoopback } from '@hotspan/loadtests'
import { settings, settle } from '../config/settings.ts'
import { apiRoutes } from '../live/api-routes.ts'
import { LiveReport } from '../live/live-report.ts'
import { storeLine } from '../live/store-line.ts'
import { type DoorFlags, doorOptions } from '../process/door-options.ts'
import { note } from '../process/output.ts'
import { shownPath } from '../process/shown-path.ts'
import { untilSignal } from '../process/signals.ts'
import { type StoreFlags, storeBounds, storePlace } from '../process/store-options.ts'

export interface CollectorFlags extends StoreFlags, DoorFlags {
  readonly host?: string
  readonly pagePort?: string
  readonly retentionDays?: string
  readonly maxStoreGb?: string
}

export const runCollector = async (flags: CollectorFlags): Promise<void> => {
  const place = await storePlace(flags)
  const live = new LiveReport({})
  // From here on a signal ends us in order, also while the engine starts.
  const signal = untilSignal()
  const collector = await createCollector({
    dataDir: place.dataDir,
    project: place.project,
    host: settle(settings.host, flags.host, process.env, place.config).value,
    pagePort: settle(settings.pagePort, flags.pagePort, process.env, place.config).value,
    ...doorOptions(flags, place.config),
    ...storeBounds(flags, place.config),
    routes: apiRoutes(live),
    jobs: [live.job],
  })
  live.use(collector.store, () => storeLine(collector.stats()))
  try {
    const addresses = [
      `otlp ${collector.otlpUrl}`,
      `grpc ${collector.grpcUrl}`,
      ...(collector.clickHouseUrl === null ? [] : [`clickhouse ${collector.clickHouseUrl}`]),
      `page ${collector.pageUrl}`,
      `data ${shownPath(place.dataDir)}`,
    ]
    process.stdout.write(`${addresses.join('\n')}\n`)
    if (!isLoopback(new URL(collector.pageUrl).hostname)) {
      note('The page asks for the token in owner.json of the data directory.')
      if (readAccessFile(place.dataDir).tokens.length === 0)
        note('Senders need a token and there is none yet: hotspan token create')
    }
    if (flags.clickhouseInserts === true && collector.clickHouseUrl === null)
      note('--clickhouse-inserts has no effect without --clickhouse-port.')
    note('Ready. Stop with Ctrl-C.')
    await signal
    note('Stopping: storing what was acknowledged.')
  } finally {
    await collector.close()
  }
}
