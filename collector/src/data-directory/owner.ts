import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from './durable-file.ts'
import { isRunning, processStart } from './process-identity.ts'

/** Who owns a data directory and how to reach it. Written to `owner.json`, mode 0600, because it holds the token. */
export interface Owner {
  readonly schemaVersion: 1
  readonly pid: number
  readonly processStart: string
  /** Tells two owners in one process apart. */
  readonly nonce: string
  readonly project: string
  /** '' until the engine listens. */
  readonly engineSocket: string
  readonly enginePid: number
  readonly engineStart: string
  /** '' when the owner is not a collector. */
  readonly otlpUrl: string
  readonly pageUrl: string
  /** Bearer token of the private page. */
  readonly token: string
}

const ownerPath = (dataDir: string) => join(dataDir, 'owner.json')

/** The record as it is on disk: `null` no file, `'unreadable'` a file that is no such record. */
export function readOwner(dataDir: string): Owner | 'unreadable' | null {
  let text: string
  try {
    text = readFileSync(ownerPath(dataDir), 'utf8')
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : 'unreadable'
  }
  try {
    const owner = JSON.parse(text) as Partial<Owner> | null
    if (
      owner !== null &&
      owner.schemaVersion === 1 &&
      typeof owner.pid === 'number' &&
      typeof owner.processStart === 'string' &&
      typeof owner.nonce === 'string' &&
      typeof owner.engineSocket === 'string'
    ) {
      return owner as Owner
    }
  } catch {
    // Not JSON.
  }
  return 'unreadable'
}

/** The owner when its process is alive. */
export function liveOwner(dataDir: string): Owner | null {
  const owner = readOwner(dataDir)
  if (owner === null || owner === 'unreadable') return null
  return isRunning(owner.pid, owner.processStart) ? owner : null
}

/**
 * Takes the directory: true when the record is ours now. A record whose process is gone, or that cannot be read, is moved
 * aside first. What it guards at last is the engine's own lock on the store: two winners of a race cannot both open it.
 */
export function takeOwnership(dataDir: string, owner: Owner): boolean {
  const mine = join(dataDir, `owner.${owner.nonce}.tmp`)
  writeFileSync(mine, JSON.stringify(owner, null, 2), { mode: 0o600 })
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        linkSync(mine, ownerPath(dataDir))
        return true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const present = readOwner(dataDir)
      if (present === null) continue
      if (present !== 'unreadable' && isRunning(present.pid, present.processStart)) return false
      moveAside(dataDir, present)
    }
    return false
  } finally {
    unlinkSync(mine)
  }
}

/** Moves a stale record away; when another process was quicker and the record is fresh, it is put back. */
function moveAside(dataDir: string, stale: Owner | 'unreadable'): void {
  const aside = join(dataDir, `owner.stale.${randomBytes(6).toString('hex')}.tmp`)
  try {
    renameSync(ownerPath(dataDir), aside)
  } catch {
    return
  }
  const moved = readFileSync(aside, 'utf8')
  const judged = stale === 'unreadable' ? null : stale.nonce
  if (judged === null ? isFreshRecord(moved) : !moved.includes(judged)) {
    try {
      linkSync(aside, ownerPath(dataDir))
    } catch {
      // Somebody took the place meanwhile.
    }
  }
  unlinkSync(aside)
}

function isFreshRecord(text: string): boolean {
  try {
    const owner = JSON.parse(text) as Partial<Owner>
    return typeof owner.pid === 'number' && isRunning(owner.pid, owner.processStart ?? '')
  } catch {
    return false
  }
}

/** Changes our record. */
export function updateOwner(dataDir: string, owner: Owner): void {
  writeFileDurably(ownerPath(dataDir), JSON.stringify(owner, null, 2))
}

/** Removes the record if it is still ours. */
export function releaseOwnership(dataDir: string, nonce: string): void {
  const present = readOwner(dataDir)
  if (present !== null && present !== 'unreadable' && present.nonce === nonce) unlinkSync(ownerPath(dataDir))
}

export function newOwner(project: string): Owner {
  return {
    schemaVersion: 1,
    pid: process.pid,
    processStart: processStart(process.pid),
    nonce: randomBytes(8).toString('hex'),
    project,
    engineSocket: '',
    enginePid: 0,
    engineStart: '',
    otlpUrl: '',
    pageUrl: '',
    token: randomBytes(24).toString('base64url'),
  }
}
