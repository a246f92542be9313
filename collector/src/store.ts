import { resolve } from 'node:path'
import type { ClickHouseClient } from '@clickhouse/client'
import { type DataDirectory, journalDirectory, ownDirectory } from './data-directory/data-directory.ts'
import { liveOwner } from './data-directory/owner.ts'
import { socketClient, urlClient } from './engine/client.ts'
import { answers, type Engine } from './engine/engine.ts'
import { CollectorError, messageOf } from './errors.ts'
import { Journal } from './journal/journal.ts'
import { embeddedSink } from './journal/row-sink.ts'
import { memoryLimits, storeLimits } from './keeping/limits.ts'
import { databaseOf, migrate } from './schema/migrations.ts'
import { serverUrl } from './server-url.ts'

export interface OpenStoreOptions {
  /** `.hotspan` folder. Not used with HOTSPAN_CLICKHOUSE_URL. */
  readonly dataDir: string
  /** Default `default`; the database is `hotspan_<project>`. */
  readonly project?: string
  /** Told about restarts and moved stores. Default: standard error. */
  readonly onEvent?: (event: string) => void
}

/** Where the telemetry is and how to ask for it. */
export interface Store {
  /** Preset to `database`. */
  readonly client: ClickHouseClient
  readonly database: string
  readonly project: string
  /** `owned`: this process runs the engine; `connected`: another process does; `server`: HOTSPAN_CLICKHOUSE_URL. */
  readonly mode: 'owned' | 'connected' | 'server'
  close(): Promise<void>
}

export function toStderr(event: string): void {
  process.stderr.write(`hotspan: ${event}\n`)
}

/**
 * Opens the store: a ClickHouse server when HOTSPAN_CLICKHOUSE_URL is set; else the engine of the process that owns the
 * directory; else this process owns it until `close`. What a killed collector had acknowledged is inserted first.
 * Throws `CollectorError`.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const project = options.project ?? 'default'
  const database = databaseOf(project)
  const onEvent = options.onEvent ?? toStderr
  const url = serverUrl()
  if (url) return serverStore(url, project)
  // Refused before a directory is made.
  memoryLimits()
  const until = Date.now() + 60_000
  for (;;) {
    const owner = liveOwner(resolve(options.dataDir))
    if (owner !== null) {
      if (owner.engineSocket !== '' && (await answers(owner.engineSocket, 5000))) {
        return connectedStore(owner.engineSocket, project)
      }
      // It is starting, or its engine is being restarted.
      if (Date.now() > until) {
        throw new CollectorError(
          'HS_STORE_UNREACHABLE',
          `process ${owner.pid} owns ${options.dataDir} but its engine has not answered for a minute; stop that process and try again`,
        )
      }
      await new Promise((done) => setTimeout(done, 100))
      continue
    }
    try {
      const directory = await ownDirectory(options.dataDir, {
        project,
        onEvent,
        waitForOwnerMs: 0,
        withEngine: true,
        maxStoreBytes: storeLimits().maxBytes,
      })
      return await ownedStore(directory, project, database, onEvent)
    } catch (error) {
      // Another process was quicker: ask it instead.
      if (error instanceof CollectorError && error.code === 'HS_STORE_OWNED' && Date.now() < until) continue
      throw error
    }
  }
}

async function ownedStore(
  directory: DataDirectory,
  project: string,
  database: string,
  onEvent: (event: string) => void,
): Promise<Store> {
  try {
    const engine = directory.engine!
    const client = await preparedClient(engine, database)
    const journal = await Journal.open({
      directory: journalDirectory(directory.path),
      sink: embeddedSink(client, engine.runDir),
      onEvent,
    })
    await journal.close()
    return {
      client,
      database,
      project,
      mode: 'owned',
      close: async () => {
        await client.close()
        await directory.close()
      },
    }
  } catch (error) {
    await directory.close()
    throw error
  }
}

/** A migrated database on an owned engine, and a client of it. */
export async function preparedClient(engine: Engine, database: string): Promise<ClickHouseClient> {
  const bare = socketClient(engine.socketPath, 'default')
  try {
    await migrate(bare, database)
  } finally {
    await bare.close()
  }
  return socketClient(engine.socketPath, database)
}

async function connectedStore(socketPath: string, project: string): Promise<Store> {
  const database = databaseOf(project)
  const bare = socketClient(socketPath, 'default')
  try {
    await migrate(bare, database)
  } finally {
    await bare.close()
  }
  const client = socketClient(socketPath, database)
  return { client, database, project, mode: 'connected', close: () => client.close() }
}

export async function serverStore(url: string, project: string): Promise<Store> {
  const database = databaseOf(project)
  const bare = urlClient(url, 'default')
  try {
    await migrate(bare, database)
  } catch (cause) {
    if (cause instanceof CollectorError) throw cause
    throw new CollectorError(
      'HS_STORE_UNREACHABLE',
      `HOTSPAN_CLICKHOUSE_URL (${new URL(url).host}) could not be used: ${messageOf(cause)}. Check address, user and rights (CREATE DATABASE, CREATE TABLE).`,
      { cause },
    )
  } finally {
    await bare.close()
  }
  const client = urlClient(url, database)
  return { client, database, project, mode: 'server', close: () => client.close() }
}
