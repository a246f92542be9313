import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { ownDirectory } from '../data-directory/data-directory.ts'
import { makeDirectory } from '../data-directory/make-directory.ts'
import { socketClient } from '../engine/client.ts'
import { Engine } from '../engine/engine.ts'
import { sqlName, sqlString } from '../engine/query-parameters.ts'
import { CollectorError, messageOf } from '../errors.ts'
import { type Store, toStderr } from '../store.ts'
import { unpack } from './archive.ts'
import { backupFolders, lookupTable, readManifest } from './backup-manifest.ts'
import { engineJob } from './engine-job.ts'
import { spansIn } from './spans-in.ts'

export interface RestoreOptions {
  /** Folder or file that `backup` wrote. */
  readonly from: string
  /** May be new, or hold a store: that one is moved aside, never removed. */
  readonly dataDir: string
  readonly onEvent?: (event: string) => void
}

export interface RestoreReport {
  readonly databases: readonly string[]
  readonly spans: number
  /** Where the store that was there is now, with its journal; null when there was none. */
  readonly movedTo: string | null
  readonly tookMs: number
}

/**
 * Puts a backup into a data directory that no process owns. A store that cannot be filled leaves
 * the old one in its place. Files beside the tables (tokens, runs) that are there already are kept. Throws `HS_RESTORE`,
 * `HS_STORE_NEWER`, `HS_STORE_OWNED`.
 */
export async function restore(options: RestoreOptions): Promise<RestoreReport> {
  const startedMs = performance.now()
  const onEvent = options.onEvent ?? toStderr
  const from = resolve(options.from)
  if (!existsSync(from)) throw new CollectorError('HS_RESTORE', `${from} is not there`)
  // A new directory goes again when there is nothing to keep in it.
  const made = makeDirectory(options.dataDir)
  const before = new Set(readdirSync(options.dataDir))
  const directory = await ownDirectory(options.dataDir, {
    project: 'default',
    onEvent,
    withEngine: false,
    waitForOwnerMs: 0,
  })
  const stamp = new Date().toISOString().replace(/[:.]/g, '-')
  const scratch = join(directory.path, `restore-${stamp}`)
  try {
    const folder = await backupFolder(from, scratch)
    const { databases } = readManifest(folder)
    const { spans, movedTo } = await replaceStore(directory.path, stamp, async () => {
      const restored = await restoreTables(join(directory.path, 'store'), folder, databases, onEvent)
      await addFiles(join(folder, backupFolders.files), directory.path)
      return restored
    })
    rmSync(scratch, { recursive: true, force: true })
    await directory.close()
    return { databases, spans, movedTo, tookMs: performance.now() - startedMs }
  } catch (error) {
    rmSync(scratch, { recursive: true, force: true })
    for (const name of ['version.json', 'store.holder.json', '.gitignore']) {
      if (!before.has(name)) rmSync(join(directory.path, name), { force: true })
    }
    await directory.close()
    removeEmpty(made)
    throw error
  }
}

/** Innermost first, as far as they hold nothing. */
function removeEmpty(made: readonly string[]): void {
  for (const path of made.toReversed()) {
    try {
      rmdirSync(path)
    } catch {
      return
    }
  }
}

async function backupFolder(from: string, scratch: string): Promise<string> {
  if (statSync(from).isDirectory()) return from
  mkdirSync(scratch, { mode: 0o700 })
  await unpack(from, scratch)
  return scratch
}

/** Folders and files that are not there yet; all of them, or, when one cannot be written, none. */
async function addFiles(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return
  // A folder comes before what is in it.
  const missing = readdirSync(from, { recursive: true, withFileTypes: true })
    .map((entry) => ({ entry, source: join(entry.parentPath, entry.name) }))
    .map(({ entry, source }) => ({ entry, source, target: join(to, relative(from, source)) }))
    .filter(({ target }) => !existsSync(target))
  try {
    for (const { entry, source, target } of missing) {
      if (entry.isDirectory()) mkdirSync(target, { recursive: true })
      else await cp(source, target)
    }
  } catch (error) {
    for (const { target } of missing) rmSync(target, { recursive: true, force: true })
    throw error
  }
}

/** Moves store and journal aside, fills a new store, and puts the old ones back when that fails. */
async function replaceStore(
  dataDir: string,
  stamp: string,
  fill: () => Promise<number>,
): Promise<{ spans: number; movedTo: string | null }> {
  // The journal holds bodies of the store that was there: it stays with it.
  const moved = ['store', 'journal']
    .map((name) => ({ at: join(dataDir, name), aside: join(dataDir, `${name}.before-restore-${stamp}`) }))
    .filter(({ at }) => existsSync(at))
  for (const { at, aside } of moved) renameSync(at, aside)
  try {
    const spans = await fill()
    return { spans, movedTo: moved.find(({ at }) => at.endsWith('store'))?.aside ?? null }
  } catch (error) {
    rmSync(join(dataDir, 'store'), { recursive: true, force: true })
    for (const { at, aside } of moved) renameSync(aside, at)
    if (error instanceof CollectorError) throw error
    throw new CollectorError(
      'HS_RESTORE',
      `the backup could not be restored; the directory is as it was: ${messageOf(error)}`,
      { cause: error },
    )
  }
}

async function restoreTables(
  storeDir: string,
  folder: string,
  databases: readonly string[],
  onEvent: (event: string) => void,
): Promise<number> {
  const engine = await Engine.start({ storeDir, onEvent })
  const client = socketClient(engine.socketPath, 'default')
  const store: Store = {
    client,
    database: 'default',
    project: 'default',
    mode: 'owned',
    close: () => client.close(),
  }
  try {
    const back = (what: string, from: string, name: string) =>
      engineJob(store, `RESTORE ${what} FROM File(${sqlString(join(folder, from, name))})`)
    for (const name of databases) {
      const db = sqlName(name)
      await client.command({ query: `CREATE DATABASE ${db}` })
      // The view that fills the lookup table names it, so that it must be there first.
      await back(`TABLE ${db}.${lookupTable}`, backupFolders.lookup, name)
      await back(`DATABASE ${db}`, backupFolders.tables, name)
    }
    return await spansIn(client, databases)
  } finally {
    await client.close()
    await engine.close()
  }
}
