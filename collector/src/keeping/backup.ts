import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { syncDirectory, writeFileDurably } from '../data-directory/durable-file.ts'
import { directoryVersion } from '../data-directory/version-marker.ts'
import { sqlName, sqlString } from '../engine/query-parameters.ts'
import { CollectorError, messageOf } from '../errors.ts'
import { segmentNumber } from '../journal/segment.ts'
import { openStore, type Store } from '../store.ts'
import { isArchiveName, pack } from './archive.ts'
import { type BackupManifest, backupFolders, lookupTable, notCopied } from './backup-manifest.ts'
import { engineJob } from './engine-job.ts'
import { spansIn } from './spans-in.ts'

export interface BackupOptions {
  readonly dataDir: string
  /** A folder that is not there yet, or a file that ends in .tar, .tar.gz or .tgz. */
  readonly to: string
  readonly onEvent?: (event: string) => void
  /** How long acknowledged bodies may take to reach the tables, ms. Default two minutes. */
  readonly waitForJournalMs?: number
  readonly signal?: AbortSignal
}

export interface BackupReport {
  readonly path: string
  readonly databases: readonly string[]
  readonly spans: number
  readonly tookMs: number
}

/**
 * Copies the data directory while its collector goes on: everything acknowledged before the call is in it, the tables fit each
 * other, and runs and settings come along. The target appears when it is whole. Throws `HS_BACKUP`.
 */
export async function backup(options: BackupOptions): Promise<BackupReport> {
  const startedMs = performance.now()
  const target = resolve(options.to)
  const dataDir = resolve(options.dataDir)
  if (existsSync(target)) {
    throw new CollectorError('HS_BACKUP', `${target} is there already; name a new file or folder`)
  }
  if (process.env.HOTSPAN_CLICKHOUSE_URL) {
    throw new CollectorError(
      'HS_BACKUP',
      'HOTSPAN_CLICKHOUSE_URL is set: the tables are on that server. Use its own BACKUP DATABASE statement.',
    )
  }
  if (!existsSync(join(dataDir, 'store'))) {
    throw new CollectorError(
      'HS_BACKUP',
      `${dataDir} holds no store; name the data directory with --data-dir`,
    )
  }
  const store = await openStore(options)
  const staging = join(dirname(target), `.${basename(target)}.partial-${process.pid}`)
  try {
    mkdirSync(staging, { recursive: true, mode: 0o700 })
    const { databases, spans } = await copyTables(store, dataDir, staging, options)
    const files = join(staging, backupFolders.files)
    mkdirSync(files, { mode: 0o700 })
    for (const name of readdirSync(dataDir)) {
      const from = join(dataDir, name)
      if (!notCopied.test(name) && resolve(from) !== target && resolve(from) !== staging)
        await cp(from, join(files, name), { recursive: true })
    }
    const manifest: BackupManifest = {
      schemaVersion: 1,
      createdAt: new Date().toISOString(),
      directoryVersion,
      engineVersion: await engineVersion(store),
      databases,
    }
    writeFileDurably(join(staging, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    await moveIntoPlace(staging, target)
    return { path: target, databases, spans, tookMs: performance.now() - startedMs }
  } catch (error) {
    if (error instanceof CollectorError || options.signal?.aborted) throw error
    throw new CollectorError('HS_BACKUP', `the backup failed, nothing was left behind: ${messageOf(error)}`, {
      cause: error,
    })
  } finally {
    rmSync(staging, { recursive: true, force: true })
    await store.close()
  }
}

async function copyTables(
  store: Store,
  dataDir: string,
  staging: string,
  options: BackupOptions,
): Promise<{ databases: string[]; spans: number }> {
  await journalIsInserted(dataDir, options)
  const answer = await store.client.query({
    query: `SELECT name FROM system.databases WHERE startsWith(name, 'hotspan_') ORDER BY name`,
    format: 'JSONEachRow',
  })
  const databases = (await answer.json<{ name: string }>()).map(({ name }) => name)
  const spans = await spansIn(store.client, databases)
  const copy = (what: string, folder: string, name: string) =>
    engineJob(store, `BACKUP ${what} TO File(${sqlString(join(staging, folder, name))})`, options.signal)
  for (const folder of [backupFolders.tables, backupFolders.lookup]) mkdirSync(join(staging, folder))
  for (const name of databases) {
    const db = sqlName(name)
    await copy(`DATABASE ${db} EXCEPT TABLES ${db}.${lookupTable}`, backupFolders.tables, name)
  }
  // The lookup comes later than what fills it, and behind every insert that was under way: it knows each trace of the copy.
  await journalIsInserted(dataDir, options)
  for (const name of databases)
    await copy(`TABLE ${sqlName(name)}.${lookupTable}`, backupFolders.lookup, name)
  return { databases, spans }
}

/** Returns when no journal segment that is there now is there any more: its rows are in the tables. */
async function journalIsInserted(dataDir: string, options: BackupOptions): Promise<void> {
  const folder = join(dataDir, 'journal')
  const segments = () =>
    (existsSync(folder) ? readdirSync(folder) : []).filter((name) => segmentNumber(name) >= 0)
  const present = new Set(segments())
  const until = Date.now() + (options.waitForJournalMs ?? 120_000)
  while (segments().some((name) => present.has(name))) {
    options.signal?.throwIfAborted()
    if (Date.now() > until) {
      throw new CollectorError(
        'HS_BACKUP',
        `acknowledged bodies do not reach the tables: see the state that ${dataDir}'s collector shows, then try again`,
      )
    }
    await new Promise((done) => setTimeout(done, 50))
  }
}

async function engineVersion(store: Store): Promise<string> {
  const answer = await store.client.query({ query: 'SELECT version() AS version', format: 'JSONEachRow' })
  return (await answer.json<{ version: string }>())[0]?.version ?? ''
}

async function moveIntoPlace(staging: string, target: string): Promise<void> {
  if (!isArchiveName(target)) renameSync(staging, target)
  else {
    const partial = `${staging}.file`
    try {
      await pack(staging, partial, !target.endsWith('.tar'))
      renameSync(partial, target)
    } finally {
      rmSync(partial, { force: true })
    }
  }
  syncDirectory(dirname(target))
}
