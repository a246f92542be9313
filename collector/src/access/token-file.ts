import { hash, randomBytes } from 'node:crypto'
import { closeSync, openSync, readFileSync, statSync, unlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { writeFileDurably } from '../data-directory/durable-file.ts'
import { makeDirectory } from '../data-directory/make-directory.ts'
import { CollectorError } from '../errors.ts'
import { databaseOf } from '../schema/migrations.ts'

/**
 * `write`: sends telemetry, from servers; `browser`: sends telemetry from pages of named origins, and nothing else, so that it
 * may be public; `read`: asks through the ClickHouse interface.
 */
export type TokenKind = 'write' | 'browser' | 'read'

/** One token as it is kept: its hash, never the token. */
export interface TokenRecord {
  /** Short public name, for `list` and `revoke`. */
  readonly id: string
  readonly kind: TokenKind
  readonly project: string
  /** sha256 of the token, hex. A token has 192 random bits, so that a slow hash would add nothing. */
  readonly hash: string
  readonly label: string
  /** ISO time. */
  readonly createdAt: string
  /** Origins whose pages may send with it; only of `browser`. `*` is any. */
  readonly origins: readonly string[]
}

/** What a project may send; a missing figure is no limit. Bytes are counted after decompression. */
export interface ProjectLimits {
  /** Mean over ten seconds. */
  readonly bytesPerSec?: number
  /** UTC day. */
  readonly bytesPerDay?: number
  /** Spans, log records and data points in a UTC day. */
  readonly recordsPerDay?: number
}

export interface AccessFile {
  readonly schemaVersion: 1
  readonly tokens: readonly TokenRecord[]
  /** By project. */
  readonly limits: Readonly<Record<string, ProjectLimits>>
}

export interface NewToken {
  readonly kind: TokenKind
  readonly project: string
  readonly label?: string
  readonly origins?: readonly string[]
}

const empty: AccessFile = { schemaVersion: 1, tokens: [], limits: {} }
const prefixes: Readonly<Record<TokenKind, string>> = { write: 'hsw_', browser: 'hsb_', read: 'hsr_' }

export const accessFilePath = (dataDir: string): string => join(resolve(dataDir), 'access.json')

/** Whether a text was meant as one of our tokens. */
export const isOurForm = (text: string): boolean =>
  Object.values(prefixes).some((prefix) => text.startsWith(prefix))

export const hashOfToken = (token: string): string => hash('sha256', token)

/** Tokens and limits of a data directory. A file that is not readable is `HS_ACCESS_FILE`: nobody is let in by mistake. */
export function readAccessFile(dataDir: string): AccessFile {
  const path = accessFilePath(dataDir)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return empty
    throw unreadable(path, error)
  }
  try {
    const file = JSON.parse(text) as Partial<AccessFile> | null
    if (file?.schemaVersion === 1 && Array.isArray(file.tokens) && typeof file.limits === 'object') {
      return { schemaVersion: 1, tokens: file.tokens, limits: file.limits ?? {} }
    }
  } catch (error) {
    throw unreadable(path, error)
  }
  throw unreadable(path, null)
}

/** Makes a token and returns it, the only time that it can be seen. */
export function createToken(dataDir: string, wanted: NewToken): { token: string; record: TokenRecord } {
  databaseOf(wanted.project)
  const origins = wanted.origins ?? []
  if (wanted.kind === 'browser' && origins.length === 0) {
    throw new CollectorError(
      'HS_TOKEN_ORIGINS',
      'a browser key needs the origins of its pages, for example https://shop.example',
    )
  }
  for (const origin of origins) {
    if (origin === '*' || isOrigin(origin)) continue
    throw new CollectorError(
      'HS_TOKEN_ORIGINS',
      `origin is ${JSON.stringify(origin)}; expected scheme and host without a path, such as https://shop.example, or *`,
    )
  }
  const token = `${prefixes[wanted.kind]}${randomBytes(24).toString('base64url')}`
  const record: TokenRecord = {
    id: randomBytes(4).toString('hex'),
    kind: wanted.kind,
    project: wanted.project,
    hash: hashOfToken(token),
    label: wanted.label ?? '',
    createdAt: new Date().toISOString(),
    origins: wanted.kind === 'browser' ? origins : [],
  }
  change(dataDir, (file) => ({ ...file, tokens: [...file.tokens, record] }))
  return { token, record }
}

/** Removes a token; a running collector refuses it within a second. False when there is none of this id. */
export function revokeToken(dataDir: string, id: string): boolean {
  let found = false
  change(dataDir, (file) => {
    const tokens = file.tokens.filter((token) => token.id !== id)
    found = tokens.length < file.tokens.length
    return found ? { ...file, tokens } : file
  })
  return found
}

/** Changes of a project's limits: a figure sets one, null removes it, and what is not named stays. */
export type LimitChanges = { readonly [Name in keyof ProjectLimits]: number | null }

/** Changes the limits of a project. `hasToken` is false when nobody can send to it but, on loopback, those who show no token. */
export function limitProject(
  dataDir: string,
  project: string,
  changes: LimitChanges,
): { limits: ProjectLimits; hasToken: boolean } {
  databaseOf(project)
  let limits: ProjectLimits = {}
  let hasToken = false
  change(dataDir, (file) => {
    const { [project]: before, ...others } = file.limits
    hasToken = file.tokens.some((token) => token.project === project)
    limits = Object.fromEntries(
      Object.entries({ ...before, ...changes }).filter(([, value]) => typeof value === 'number'),
    )
    return { ...file, limits: Object.keys(limits).length === 0 ? others : { ...others, [project]: limits } }
  })
  return { limits, hasToken }
}

function isOrigin(text: string): boolean {
  try {
    return new URL(text).origin === text
  } catch {
    return false
  }
}

function unreadable(path: string, cause: unknown): CollectorError {
  return new CollectorError(
    'HS_ACCESS_FILE',
    `${path} cannot be read as tokens and limits; restore it, or remove it and make new tokens`,
    { cause },
  )
}

const lockStaleMs = 10_000

/** Reads, changes and writes the file, one process at a time. */
function change(dataDir: string, edit: (file: AccessFile) => AccessFile): void {
  makeDirectory(dataDir)
  const lock = `${accessFilePath(dataDir)}.lock`
  takeLock(lock)
  try {
    const before = readAccessFile(dataDir)
    const after = edit(before)
    if (after !== before) writeFileDurably(accessFilePath(dataDir), `${JSON.stringify(after, null, 2)}\n`)
  } finally {
    unlinkSync(lock)
  }
}

function takeLock(path: string): void {
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (;;) {
    try {
      closeSync(openSync(path, 'wx', 0o600))
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    try {
      // A change takes milliseconds: an old lock is of a process that was killed.
      if (Date.now() - statSync(path).mtimeMs > lockStaleMs) unlinkSync(path)
    } catch {
      // Gone meanwhile.
    }
    Atomics.wait(pause, 0, 0, 20)
  }
}
