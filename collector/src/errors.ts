/** Every error of this package that a person may meet: a code, what happened where, and the way out. */
export type CollectorErrorCode =
  | 'HS_ENGINE_PLATFORM'
  | 'HS_ENGINE_MISSING'
  | 'HS_ENGINE_START'
  | 'HS_ENGINE_AWAY'
  | 'HS_STORE_OWNED'
  | 'HS_STORE_NEWER'
  | 'HS_STORE_UNREACHABLE'
  | 'HS_PORT_TAKEN'
  | 'HS_ADDRESS'
  | 'HS_DATA_DIR'
  | 'HS_CLICKHOUSE_URL'
  | 'HS_PROJECT_NAME'
  | 'HS_SCOPE'
  | 'HS_CLOSED'
  | 'HS_ACCESS_FILE'
  | 'HS_TOKEN_ORIGINS'
  | 'HS_TLS'
  | 'HS_IMPORT'
  | 'HS_FORWARD'
  | 'HS_LIMIT'
  | 'HS_DISK_FULL'
  | 'HS_BACKUP'
  | 'HS_RESTORE'
  | 'HS_SOURCE_MAPS'

export class CollectorError extends Error {
  readonly code: CollectorErrorCode

  constructor(code: CollectorErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'CollectorError'
    this.code = code
  }
}

export function badSourceMaps(message: string, cause?: unknown): CollectorError {
  return new CollectorError('HS_SOURCE_MAPS', message, { cause })
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
