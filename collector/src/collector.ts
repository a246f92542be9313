import { mkdirSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { type DataDirectory, journalDirectory, ownDirectory } from './data-directory/data-directory.ts'
import { CollectorError, messageOf } from './errors.ts'
import { Journal } from './journal/journal.ts'
import { embeddedSink, serverSink } from './journal/row-sink.ts'
import { builtInRoutes } from './page/built-in-routes.ts'
import { createPageListener } from './page/page-listener.ts'
import type { Route } from './page/routes.ts'
import { Receiver, type ReceiverStats } from './receiver/receiver.ts'
import { databaseOf } from './schema/migrations.ts'
import { metricTableNumbers, RowTable } from './schema/row-layout.ts'
import { preparedClient, type Store, serverStore, toStderr } from './store.ts'

/** Work that runs beside the receiver, one run at a time. */
export interface Job {
  readonly name: string
  readonly everyMs: number
  run(store: Store): Promise<void>
}

export interface CollectorOptions {
  /** `.hotspan` folder: store and journal. */
  readonly dataDir: string
  /** Default `default`. */
  readonly project?: string
  /** Default 127.0.0.1. Any other address makes the page ask for its token. */
  readonly host?: string
  /** Default 4318; 0 takes a free one. */
  readonly otlpHttpPort?: number
  /** Default 4319; 0 takes a free one. */
  readonly pagePort?: number
  /** In front of `/v1/traces`. Default ''. */
  readonly pathPrefix?: string
  /** Origins of pages that may send, besides those of this machine. Default HOTSPAN_CORS_ORIGINS, separated by commas. */
  readonly allowedOrigins?: readonly string[]
  /** Largest body after decompression, bytes. Default 64 MiB. */
  readonly maxBodyBytes?: number
  readonly routes?: readonly Route[]
  readonly jobs?: readonly Job[]
  /** Told about restarts, moved stores and refused rows. Default: standard error. */
  readonly onEvent?: (event: string) => void
}

export interface CollectorStats extends ReceiverStats {
  /** Spans, log records and data points that became part of the store since the start. */
  storedSpans: number
  storedLogs: number
  storedMetricPoints: number
  /** Rows that the engine refused; they are kept in `journal/quarantine`. */
  quarantinedRows: number
  /** Acknowledged and not yet in the store, bytes. */
  journalBytes: number
  /** Tables of the project on disk, bytes; looked up every ten seconds. */
  diskBytes: number
  engineRestarts: number
}

export interface Collector {
  readonly otlpUrl: string
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

const diskEveryMs = 10_000

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
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const url = process.env.HOTSPAN_CLICKHOUSE_URL
    const directory = await ownDirectory(options.dataDir, { project, onEvent, withEngine: !url })
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

    const receiver = new Receiver({
      journal,
      project,
      onEvent,
      allowedOrigins: options.allowedOrigins ?? originsFromEnvironment(),
      ...(options.pathPrefix === undefined ? {} : { pathPrefix: options.pathPrefix }),
      ...(options.maxBodyBytes === undefined ? {} : { maxBodyBytes: options.maxBodyBytes }),
    })
    let diskBytes = 0
    const stats = (): CollectorStats => ({
      ...receiver.stats,
      rejected: { ...receiver.stats.rejected },
      storedSpans: journal.storedRows.get(RowTable.Traces) ?? 0,
      storedLogs: journal.storedRows.get(RowTable.Logs) ?? 0,
      storedMetricPoints: metricTableNumbers.reduce(
        (sum, table) => sum + (journal.storedRows.get(table) ?? 0),
        0,
      ),
      quarantinedRows: journal.quarantinedRows,
      journalBytes: journal.bytes,
      diskBytes,
      engineRestarts: directory.engine?.restarts ?? 0,
    })
    const loopback = host === '127.0.0.1' || host === '::1' || host === 'localhost'
    const routes = [
      ...(options.routes ?? []),
      ...builtInRoutes({ store, stats, quarantinedTo: directory.quarantinedTo }),
    ]
    const page = createPageListener({ routes, token: directory.token, loopback, onEvent })

    const otlpUrl = await listen(receiver.server, host, options.otlpHttpPort ?? 4318, 'otlpHttpPort')
    closers.push(() => stopListening(receiver.server))
    const pageUrl = await listen(page, host, options.pagePort ?? 4319, 'pagePort')
    closers.push(() => stopListening(page))
    directory.announce({ otlpUrl, pageUrl })

    const measureDisk: Job = {
      name: 'disk use',
      everyMs: diskEveryMs,
      run: async () => {
        diskBytes = await diskBytesOf(store)
      },
    }
    const stopJobs = startJobs([measureDisk, ...(options.jobs ?? [])], store, onEvent)
    closers.push(stopJobs)
    let closing: Promise<void> | null = null
    const close = () => {
      closing ??= closeAll()
      return closing
    }
    return {
      otlpUrl,
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

async function diskBytesOf(store: Store): Promise<number> {
  const answer = await store.client.query({
    query: 'SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE database = {database:String}',
    query_params: { database: store.database },
    format: 'JSONEachRow',
  })
  return Number((await answer.json<{ bytes: string }>())[0]?.bytes ?? 0)
}

function originsFromEnvironment(): string[] {
  return (process.env.HOTSPAN_CORS_ORIGINS ?? '')
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '')
}

function startJobs(
  jobs: readonly Job[],
  store: Store,
  onEvent: (event: string) => void,
): () => Promise<void> {
  let stopped = false
  const timers = new Set<NodeJS.Timeout>()
  const running = new Set<Promise<void>>()
  const schedule = (job: Job, waitMs: number) => {
    const timer = setTimeout(async () => {
      timers.delete(timer)
      const run = job.run(store).catch((error: unknown) => onEvent(`job ${job.name}: ${messageOf(error)}`))
      running.add(run)
      await run
      running.delete(run)
      if (!stopped) schedule(job, job.everyMs)
    }, waitMs)
    timer.unref()
    timers.add(timer)
  }
  for (const job of jobs) schedule(job, Math.min(job.everyMs, 1000))
  return async () => {
    stopped = true
    for (const timer of timers) clearTimeout(timer)
    await Promise.all(running)
  }
}

async function listen(server: Server, host: string, port: number, option: string): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new CollectorError(
              'HS_PORT_TAKEN',
              `port ${port} on ${host} is taken (${option}); choose another one, or 0 for any free one`,
              { cause: error },
            )
          : error,
      )
    })
    server.listen(port, host, () => resolve())
  })
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`
}

/** No new connections; requests under way are answered, for at most five seconds. */
async function stopListening(server: Server): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const kill = setTimeout(() => server.closeAllConnections(), 5000)
  await ended
  clearTimeout(kill)
}
