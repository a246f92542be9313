import { CollectorError } from '../errors.ts'

/** What the embedded store may keep. */
export interface StoreLimits {
  /** Days of telemetry besides today, by the UTC date of the rows; null keeps all. */
  readonly retentionDays: number | null
  /** Bytes of all tables on disk; null for no bound. */
  readonly maxBytes: number | null
}

const defaultRetentionDays = 30
const defaultMaxBytes = 10e9
const leastMaxBytes = 50e6

/** From options, else HOTSPAN_RETENTION_DAYS and HOTSPAN_STORE_MAX_GB, else 30 days and 10 GB. 0 means without bound. Throws `HS_LIMIT`. */
export function storeLimits(asked: { retentionDays?: number; maxStoreBytes?: number } = {}): StoreLimits {
  const days =
    asked.retentionDays ?? fromEnvironment('HOTSPAN_RETENTION_DAYS', 'days', defaultRetentionDays, 1)
  const bytes =
    asked.maxStoreBytes ?? fromEnvironment('HOTSPAN_STORE_MAX_GB', 'gigabytes', defaultMaxBytes, 1e9)
  if (!Number.isFinite(days) || days < 0) throw badLimit('retentionDays', days, 'days from 0 (keep all)')
  if (!Number.isFinite(bytes) || bytes < 0 || (bytes > 0 && bytes < leastMaxBytes)) {
    throw badLimit('maxStoreBytes', bytes, `at least ${leastMaxBytes} bytes, or 0 for no bound`)
  }
  return { retentionDays: days === 0 ? null : Math.floor(days), maxBytes: bytes === 0 ? null : bytes }
}

const defaultJournalMb = 512
const leastEngineMb = 256

/** Bytes of HOTSPAN_JOURNAL_MAX_MB (512 MiB) and HOTSPAN_ENGINE_MEMORY_MB (null: by the size of the machine). Throws `HS_LIMIT`. */
export function memoryLimits(): { readonly journalBytes: number; readonly engineBytes: number | null } {
  const journal = mebibytes('HOTSPAN_JOURNAL_MAX_MB', 1)
  const engine = mebibytes('HOTSPAN_ENGINE_MEMORY_MB', leastEngineMb)
  return { journalBytes: journal ?? defaultJournalMb * 1024 * 1024, engineBytes: engine }
}

function mebibytes(name: string, least: number): number | null {
  const text = process.env[name]
  if (text === undefined || text.trim() === '') return null
  const value = Number(text)
  if (!Number.isFinite(value) || value < least)
    throw badLimit(name, text, `megabytes from ${least}, as a plain number`)
  return Math.floor(value * 1024 * 1024)
}

function fromEnvironment(name: string, unit: string, fallback: number, factor: number): number {
  const text = process.env[name]
  if (text === undefined || text.trim() === '') return fallback
  const value = Number(text)
  if (!Number.isFinite(value) || value < 0) throw badLimit(name, text, `${unit} from 0 (no bound)`)
  return value * factor
}

function badLimit(where: string, got: unknown, expected: string): CollectorError {
  return new CollectorError('HS_LIMIT', `${where} is ${JSON.stringify(got)}; expected ${expected}`)
}

/**
 * The largest part that merges may make. The size cap drops parts, so that none may hold most of the store: a tenth of the cap,
 * and at most the engine's own 150 GB.
 */
export function maxMergedPartBytes(maxBytes: number | null): number {
  const most = 150e9
  return maxBytes === null ? most : Math.min(Math.max(maxBytes / 10, 20e6), most)
}
