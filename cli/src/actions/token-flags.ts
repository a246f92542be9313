import type { StoreFlags } from '../process/store-options.ts'

export const tokenActions = ['create', 'list', 'revoke', 'limit'] as const

export interface TokenFlags extends StoreFlags {
  readonly kind: 'write' | 'browser' | 'read'
  readonly label?: string
  readonly origin?: readonly string[]
  readonly bytesPerSec?: number
  readonly bytesPerDay?: number
  readonly recordsPerDay?: number
  readonly format: 'text' | 'json'
}
