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

/**
 * Counts what one body has used of its limits. `fail` makes the error of the encoding: `where` is a byte offset for protobuf
 * and nothing for JSON, whose reader knows its path.
 */
export class DecodeBudget {
  readonly limits: DecodeLimits
  /** What attributes may name by number, which only those of profiles do; null elsewhere. */
  texts: readonly string[] | null = null
  private readonly fail: (what: string, where: number) => Error
  private records = 0
  private values = 0

  constructor(limits: Partial<DecodeLimits> = {}, fail: (what: string, where: number) => Error = tooMany) {
    this.limits = { ...defaultDecodeLimits, ...limits }
    this.fail = fail
  }

  takeRecord(where = 0): void {
    if (++this.records > this.limits.maxRecords) {
      throw this.fail(`more than ${this.limits.maxRecords} records`, where)
    }
  }

  takeValue(where = 0): void {
    if (++this.values > this.limits.maxValues) {
      throw this.fail(`more than ${this.limits.maxValues} attribute values`, where)
    }
  }
}

function tooMany(what: string, offset: number): Error {
  return new WireError('too-many', offset, what)
}
