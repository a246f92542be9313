import type { StoreFlags } from '../process/store-options.ts'

export const tokenActions = ['create', 'list', 'revoke', 'limit'] as const

export interface TokenFlags extends StoreFlags {
  readonly kind: 'write' | 'browser' | 'read'
  readonly label?: string
  readonly origin?: readonly string[]
  /** null removes a limit. */
  readonly bytesPerSec?: number | null
  readonly bytesPerDay?: number | null
  readonly recordsPerDay?: number | null
  readonly format: 'text' | 'json'
}
