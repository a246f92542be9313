import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { engineBehind } from './clickhouse/engine-behind.ts'
import { type DataDirectory, journalDirectory, ownDirectory } from './data-directory/data-directory.ts'
import { liveOwner } from './data-directory/owner.ts'
import { type DoorOptions, openDoors, publicPorts } from './doors.ts'
import type { ForwardStats } from './forward/forwarder.ts'
import { type Job, startJobs } from './jobs.ts'
import { Journal } from './journal/journal.ts'
import { embeddedSink, serverSink } from './journal/row-sink.ts'
import type { Trouble } from './journal/trouble.ts'
import { memoryLimits, storeLimits } from './keeping/limits.ts'
import { StoreKeeper } from './keeping/store-keeper.ts'
import { isLoopback, listen, type PortOption, requirePorts, stopListening } from './listening.ts'
import { builtInRoutes } from './page/built-in-routes.ts'
import { createPageListener } from './page/page-listener.ts'
import type { Route } from './page/routes.ts'
import type { IntakeStats } from './receiver/intake.ts'
import { databaseOf } from './schema/migrations.ts'
import { metricTableNumbers, RowTable } from './schema/row-layout.ts'
import { serverLayout } from './schema/server-layout.ts'
import { Sealer } from './sealing/sealer.ts'
import { serverUrl } from './server-url.ts'
import { BuildKeeper, type BuildsKept } from './source-maps/keep-builds.ts'
import { preparedClient, type Store, serverStore, toStderr } from './store.ts'

export interface CollectorOptions extends DoorOptions {
  /** `.hotspan` folder: store and journal. */
  readonly dataDir: string
  /** Default `default`. */
  readonly project?: string
  /** Default 127.0.0.1. With an address that is not of this machine alone senders and the page need a token. */
  readonly host?: string
  /** Default 4319; 0 takes a free one. */
  readonly pagePort?: number
  /** Days of telemetry kept besides today, 0 for all. Default HOTSPAN_RETENTION_DAYS or 30. Embedded store only. */
  readonly retentionDays?: number
  /** Cap of the tables on disk, bytes, 0 for none: the oldest days go first. Default HOTSPAN_STORE_MAX_GB or 10 GB. Embedded store only. */
  readonly maxStoreBytes?: number
  readonly routes?: readonly Route[]
  readonly jobs?: readonly Job[]
  /** Told about restarts, moved stores and refused rows. Default: standard error. */
  readonly onEvent?: (event: string) => void
}

export interface CollectorStats extends IntakeStats {
  /** Spans, log records and data points that became part of the store since the start. */
  storedSpans: number
  storedLogs: number
  storedMetricPoints: number
  storedProfiles: number
  /** Rows that the engine refused; they are kept in `journal/quarantine`. */
  quarantinedRows: number
  /** Acknowledged and not yet in the store, bytes. */
  journalBytes: number
  /** Tables on disk, bytes: of all projects in an embedded store, of this one on a server. Looked up every ten seconds. */
  diskBytes: number
  /** The embedded store's cap, bytes; null for none. */
  diskLimitBytes: number | null
  /** Days kept besides today; null for all. */
  retentionDays: number | null
  /** Left on the disk of the data directory, bytes. */
  diskFreeBytes: number
  /** Partitions and parts dropped since the start to hold retention and cap, bytes. */
  droppedBytes: number
  /** Browser builds whose source maps are stored, and those that went since the start. Looked up once an hour. */
  sourceMaps: BuildsKept
  /** `ok`, or why acknowledged rows wait in the journal. */
  state: 'ok' | Trouble['kind']
  /** '' when all is well. */
  stateReason: string
  /** Resident memory of the engine's process, bytes; 0 where there is none or it is not known. */
  engineMemoryBytes: number
  engineRestarts: number
  /** Of those the ones that gave memory back which the process had kept. */
  engineMemoryRestarts: number
  /** null when nothing is sent on. */
  forwarding: ForwardStats | null
}

export interface Collector {
  readonly otlpUrl: string
  /** OTLP/gRPC; null when it is not served. */
  readonly grpcUrl: string | null
  /** ClickHouse HTTP interface; null when it is not served. */
  readonly clickHouseUrl: string | null
  readonly pageUrl: string
  /** Bearer token of the page, needed when it is not bound to loopback. */
  readonly token: string
  readonly store: Store
  /** Where a store that did not open was moved to, else null. */
  readonly quarantinedTo: string | null
  stats(): CollectorStats
  /** Everything acknowledged is queryable when it returns. */
  flush(): Promise<void>
  close(): Promise<void>
}

/**
 * Receiver, store and private page in one process, with the engine in a child process. Throws `CollectorError` with the way
 * out: the directory has another owner, a port is taken, the engine cannot run here.
 */
export async function createCollector(options: CollectorOptions): Promise<Collector> {
  const project = options.project ?? 'default'
  const database = databaseOf(project)
  const onEvent = options.onEvent ?? toStderr
  const host = options.host ?? '127.0.0.1'
  const closers: (() => Promise<void>)[] = []
  const closeAll = async () => {
    const failures: unknown[] = []
    for (const close of closers.splice(0).reverse()) {
      // Whatever one part has to say, the others are closed too: the directory and the engine must not stay taken.
      await close().catch((error) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }
  try {
    // Whatever can be refused is, before a directory is made.
    const url = serverUrl()
    const limits = storeLimits(options)
    memoryLimits()
    // A live owner is refused by name, or about to leave with its ports.
    if (liveOwner(resolve(options.dataDir)) === null) await requirePorts(host, wantedPorts(options, !url))
    const directory = await ownDirectory(options.dataDir, {
      project,
      onEvent,
      withEngine: !url,
      maxStoreBytes: limits.maxBytes,
    })
    closers.push(() => directory.close())
    const store = await openOwned(directory, url, project, database)
    closers.push(() => store.client.close())
    const sink =
      directory.engine === null
        ? serverSink(store.client)
        : embeddedSink(store.client, directory.engine.runDir)
    mkdirSync(journalDirectory(directory.path), { recursive: true, mode: 0o700 })
    const journal = await Journal.open({ directory: join(directory.path, 'journal'), sink, onEvent })
    closers.push(() => journal.close())

    const engine = directory.engine === null ? null : engineBehind(directory.engine, store.client)
    // A server keeps all unless its retention was named.
    const retentionDays = engine === null ? (serverLayout()?.retentionDays ?? null) : limits.retentionDays
    const from = { dataDir: directory.path, project, host, journal, engine, retentionDays, onEvent }
    const doors = await openDoors({ ...options, ...from })
    closers.push(() => doors.close())
    const keeper = new StoreKeeper({ dataDir: directory.path, limits, onEvent })
    const sealer = new Sealer({ onEvent })
    const builds = new BuildKeeper(limits.retentionDays, onEvent)
    const stats = (): CollectorStats => ({
      ...doors.intake.stats,
      rejected: { ...doors.intake.stats.rejected },
      forwarding: doors.forwarded === null ? null : { ...doors.forwarded },
      storedSpans: journal.storedRows.get(RowTable.Traces) ?? 0,
      storedLogs: journal.storedRows.get(RowTable.Logs) ?? 0,
      storedMetricPoints: metricTableNumbers.reduce(
        (sum, table) => sum + (journal.storedRows.get(table) ?? 0),
        0,
      ),
      storedProfiles: journal.storedRows.get(RowTable.Profiles) ?? 0,
      quarantinedRows: journal.quarantinedRows,
      journalBytes: journal.bytes,
      ...keeper.figures,
      sourceMaps: builds.figures,
      state: journal.trouble?.kind ?? 'ok',
      stateReason: journal.trouble?.reason ?? '',
      engineMemoryBytes: directory.engine?.memoryBytes ?? 0,
      engineRestarts: directory.engine?.restarts ?? 0,
      engineMemoryRestarts: directory.engine?.memoryRestarts ?? 0,
    })
    const routes = [
      ...(options.routes ?? []),
      ...builtInRoutes({ store, stats, quarantinedTo: directory.quarantinedTo }),
    ]
    const page = createPageListener({
      routes,
      token: directory.token,
      loopback: isLoopback(host),
      tls: doors.tls,
      onEvent,
    })

    const scheme = doors.tls === null ? 'http' : 'https'
    const pageUrl = await listen(page, scheme, host, pagePortOf(options), 'pagePort')
    closers.push(() => stopListening(page))
    const { otlpUrl, grpcUrl, clickHouseUrl } = doors
    directory.announce({ otlpUrl, pageUrl })

    const stopJobs = startJobs([keeper.job, builds.job, sealer.job, ...(options.jobs ?? [])], store, onEvent)
    closers.push(stopJobs)
    let closing: Promise<void> | null = null
    const close = () => {
      closing ??= closeAll()
      return closing
    }
    return {
      otlpUrl,
      grpcUrl,
      clickHouseUrl,
      pageUrl,
      token: directory.token,
      store: { ...store, close },
      quarantinedTo: directory.quarantinedTo,
      stats,
      flush: () => journal.flush(),
      close,
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

const pagePortOf = (options: CollectorOptions): number => options.pagePort ?? 4319

const wantedPorts = (options: CollectorOptions, withEngine: boolean): [PortOption, number | null][] => [
  ...publicPorts(withEngine ? options : { ...options, clickHousePort: null }),
  ['pagePort', pagePortOf(options)],
]

async function openOwned(
  directory: DataDirectory,
  url: string | undefined,
  project: string,
  database: string,
): Promise<Store> {
  if (directory.engine === null) return serverStore(url ?? '', project)
  const client = await preparedClient(directory.engine, database)
  return { client, database, project, mode: 'owned', close: () => client.close() }
}
