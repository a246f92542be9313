import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { Engine, EngineStartError } from '../engine/engine.ts'
import { CollectorError, messageOf } from '../errors.ts'
import { freeBytesAt } from '../keeping/disk-use.ts'
import { makeDirectory, notWritable } from './make-directory.ts'
import { newOwner, type Owner, readOwner, releaseOwnership, takeOwnership, updateOwner } from './owner.ts'
import { isRunning, processStart } from './process-identity.ts'
import { checkVersionMarker, writeVersionMarker } from './version-marker.ts'

export interface DataDirectoryOptions {
  readonly project: string
  readonly onEvent: (event: string) => void
  /** How long to wait for another owner to leave, ms. Default 10,000. */
  readonly waitForOwnerMs?: number
  /** false: only the journal is here, the tables are on a server. */
  readonly withEngine: boolean
  /** Cap of the store on disk, bytes. Default none. */
  readonly maxStoreBytes?: number | null
}

/** A data directory that this process owns, with the engine running on it. */
export interface DataDirectory {
  readonly path: string
  /** null when the tables are on a server. */
  readonly engine: Engine | null
  /** Where an unreadable store was moved to, null when it opened. */
  readonly quarantinedTo: string | null
  readonly token: string
  /** Lets others find the collector's addresses. */
  announce(addresses: { otlpUrl: string; pageUrl: string }): void
  close(): Promise<void>
}

export function journalDirectory(dataDir: string): string {
  return join(dataDir, 'journal')
}

export function prepareDirectory(dataDir: string): string {
  const path = resolve(dataDir)
  makeDirectory(path)
  const ignore = join(path, '.gitignore')
  try {
    if (!existsSync(ignore)) writeFileSync(ignore, '# Made by hotspan: telemetry of this machine.\n*\n')
  } catch (cause) {
    throw notWritable(path, cause)
  }
  return path
}

/**
 * Takes the directory and opens its store. Throws `HS_STORE_OWNED` when another live process has it, `HS_STORE_NEWER`, and the
 * engine's own refusals. A store that cannot be read is moved aside, never removed.
 */
export async function ownDirectory(dataDir: string, options: DataDirectoryOptions): Promise<DataDirectory> {
  const path = prepareDirectory(dataDir)
  const before = readOwner(path)
  let owner = newOwner(options.project)
  await takeOrWait(path, owner, options.waitForOwnerMs ?? 10_000)
  try {
    if (before !== null && before !== 'unreadable') await endOrphanedEngine(before)
    checkVersionMarker(path)
    let closing: Promise<void> | null = null
    const { engine, quarantinedTo } = options.withEngine
      ? await openOrQuarantine(path, options, () => nameEngine())
      : { engine: null, quarantinedTo: null }
    writeVersionMarker(path, engine?.version ?? '')
    const nameEngine = () => {
      if (engine === null || closing !== null) return
      const enginePid = engine.pid ?? 0
      owner = { ...owner, engineSocket: engine.socketPath, enginePid, engineStart: processStart(enginePid) }
      try {
        updateOwner(path, owner)
      } catch (error) {
        // A full disk: the socket is the same as before, only the process id in the record is not.
        options.onEvent(`owner.json could not be written: ${messageOf(error)}`)
      }
    }
    nameEngine()
    return {
      path,
      engine,
      quarantinedTo,
      token: owner.token,
      announce: (addresses) => {
        owner = { ...owner, ...addresses }
        updateOwner(path, owner)
      },
      close: () => {
        closing ??= (engine?.close() ?? Promise.resolve()).finally(() => releaseOwnership(path, owner.nonce))
        return closing
      },
    }
  } catch (error) {
    releaseOwnership(path, owner.nonce)
    throw error
  }
}

async function takeOrWait(path: string, owner: Owner, waitMs: number): Promise<void> {
  const until = Date.now() + waitMs
  while (!takeOwnership(path, owner)) {
    if (Date.now() >= until) {
      const present = readOwner(path)
      const who = present !== null && present !== 'unreadable' ? present : null
      const where = who?.pageUrl ? ` (its page: ${who.pageUrl})` : ''
      throw new CollectorError(
        'HS_STORE_OWNED',
        `${path} is in use by process ${who?.pid ?? 'unknown'}${where}. Use that collector, stop it, or choose another directory (--data-dir, HOTSPAN_DATA_DIR).`,
      )
    }
    await new Promise((done) => setTimeout(done, 100))
  }
}

/** The engine of a killed owner ends by itself when it notices; it is helped after five seconds. Its socket's folder goes too. */
async function endOrphanedEngine(before: Owner): Promise<void> {
  const until = Date.now() + 5000
  while (isRunning(before.enginePid, before.engineStart)) {
    if (Date.now() >= until) {
      process.kill(before.enginePid, 'SIGKILL')
      break
    }
    await new Promise((done) => setTimeout(done, 25))
  }
  const folder = dirname(before.engineSocket)
  // The record is a file that anybody could have changed: only a folder of the engine's own form is removed.
  if (basename(before.engineSocket) === 'engine.sock' && /^hotspan-\w{6}$/.test(basename(folder))) {
    rmSync(folder, { recursive: true, force: true })
  }
}

// With less than this an engine that does not start says nothing about its store.
const leastFreeBytes = 32 * 1024 * 1024

async function openOrQuarantine(
  path: string,
  { onEvent, maxStoreBytes = null }: DataDirectoryOptions,
  onRestart: () => void,
): Promise<{ engine: Engine; quarantinedTo: string | null }> {
  const storeDir = join(path, 'store')
  const options = { storeDir, onEvent, onRestart, maxStoreBytes }
  const until = Date.now() + 20_000
  let failure: unknown
  for (let attempt = 0; attempt < 2; ) {
    try {
      return { engine: await Engine.start(options), quarantinedTo: null }
    } catch (error) {
      if (!(error instanceof EngineStartError)) throw error
      failure = error
      // Held by an engine that is about to end: not a broken store.
      if (error.locked && Date.now() < until) await new Promise((done) => setTimeout(done, 200))
      else if (error.locked) throw error
      else attempt += 1
    }
  }
  const freeBytes = await freeBytesAt(path)
  if (freeBytes < leastFreeBytes) {
    throw new CollectorError(
      'HS_DISK_FULL',
      `the store in ${path} did not open and its disk has only ${Math.floor(freeBytes / 1e6)} MB left. Free some space and start again; the data is left as it is. (${(failure as Error).message})`,
      { cause: failure },
    )
  }
  if (!existsSync(storeDir) || readdirSync(storeDir).length === 0 || !(await enginesOpenHere(onEvent)))
    throw failure
  const quarantinedTo = `${storeDir}.quarantine-${new Date().toISOString().replace(/[:.]/g, '-')}`
  renameSync(storeDir, quarantinedTo)
  onEvent(
    `the store did not open (${(failure as Error).message}); it was moved to ${quarantinedTo} and a new one is started. Nothing was removed.`,
  )
  return { engine: await Engine.start(options), quarantinedTo }
}

/** Whether an empty store opens on this machine now: if not, the fault is not the store's. */
async function enginesOpenHere(onEvent: (event: string) => void): Promise<boolean> {
  const probe = mkdtempSync(join(tmpdir(), 'hotspan-probe-'))
  try {
    const engine = await Engine.start({ storeDir: join(probe, 'store'), onEvent })
    await engine.close()
    return true
  } catch {
    return false
  } finally {
    rmSync(probe, { recursive: true, force: true })
  }
}
