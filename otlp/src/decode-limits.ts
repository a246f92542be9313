import { WireError } from './wire-error.ts'

/** Bounds of one decoded body. Past them the decoder throws instead of building more. */
export interface DecodeLimits {
  /** Nesting of arrays and key-value lists inside one attribute. Default 16. */
  readonly maxDepth: number
  /** Spans or log records in one body. Default 1,000,000. */
  readonly maxRecords: number
  /** Attributes and array items in one body, all levels together. Default 10,000,000. */
  readonly maxValues: number
}

export const defaultDecodeLimits: DecodeLimits = {
  maxDepth: 16,
  maxRecords: 1_000_000,
  maxValues: 10_000_000,
}

/** Counts what one body has used of its limits. */
export class DecodeBudget {
  readonly limits: DecodeLimits
  private records = 0
  private values = 0

  constructor(limits: Partial<DecodeLimits> = {}) {
    this.limits = { ...defaultDecodeLimits, ...limits }
  }

  takeRecord(offset: number): void {
    if (++this.records > this.limits.maxRecords) {
      throw new WireError('too-many', offset, `more than ${this.limits.maxRecords} records`)
    }
  }

  takeValue(offset: number): void {
    if (++this.values > this.limits.maxValues) {
      throw new WireError('too-many', offset, `more than ${this.limits.maxValues} attribute values`)
    }
  }
}
