import { createCollector } from '@hotspan/collector'
import { isLoopback } from '@hotspan/loadtests'
import { settings, settle } from '../config/settings.ts'
import { apiRoutes } from '../live/api-routes.ts'
import { LiveReport } from '../live/live-report.ts'
import { storeLine } from '../live/store-line.ts'
import { note } from '../process/output.ts'
import { shownPath } from '../process/run-folders.ts'
import { untilSignal } from '../process/signals.ts'
import { type StoreFlags, storeBounds, storePlace } from '../process/store-options.ts'

export interface CollectorFlags extends StoreFlags {
  readonly host?: string
  readonly otlpPort?: string
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
    otlpHttpPort: settle(settings.otlpHttpPort, flags.otlpPort, process.env, place.config).value,
    pagePort: settle(settings.pagePort, flags.pagePort, process.env, place.config).value,
    ...storeBounds(flags, place.config),
    routes: apiRoutes(live),
    jobs: [live.job],
  })
  live.use(collector.store, () => storeLine(collector.stats()))
  try {
    process.stdout.write(
      `otlp ${collector.otlpUrl}\npage ${collector.pageUrl}\ndata ${shownPath(place.dataDir)}\n`,
    )
    if (!isLoopback(new URL(collector.pageUrl).hostname))
      note('The page asks for the token in owner.json of the data directory.')
    note('Ready. Stop with Ctrl-C.')
    await signal
    note('Stopping: storing what was acknowledged.')
  } finally {
    await collector.close()
  }
}
