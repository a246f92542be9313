import { bytesOfBase64 } from './base64.ts'
import { DecodeBudget, type DecodeLimits } from './decode-limits.ts'
import type { AnyValue, KeyValue, Resource, Scope } from './span.ts'

/** A JSON body that is not OTLP. `path` names the place, e.g. `resourceSpans[0].scopeSpans[0].spans[3].kind`. */
export class OtlpJsonError extends Error {
  readonly code = 'HS_OTLP_JSON'
  readonly path: string
  readonly expected: string

  constructor(path: string, expected: string, got: string) {
    super(`OTLP/JSON: ${path === '' ? 'the body' : path} is ${got}; expected ${expected}`)
    this.name = 'OtlpJsonError'
    this.path = path
    this.expected = expected
  }
}

export type JsonObject = Readonly<Record<string, unknown>>

const MAX_UINT32 = 0xffffffff
const MAX_UINT64 = (1n << 64n) - 1n
const MAX_INT64 = (1n << 63n) - 1n
const MIN_INT64 = -(1n << 63n)

/**
 * Reads fields out of parsed JSON by OTLP's rules (opentelemetry-proto docs/specification.md, "JSON Protobuf Encoding"): a
 * missing field and `null` are the default, unknown fields are not looked at, anything of a wrong form is an `OtlpJsonError`.
 */
export class JsonReader {
  readonly budget: DecodeBudget
  /** Where the reader stands; an error takes it as it is. */
  private readonly path: (string | number)[] = []

  constructor(limits: Partial<DecodeLimits> = {}) {
    this.budget = new DecodeBudget(limits, (what) => this.error('fewer', what))
  }

  /** The parsed body, which has to be an object. */
  parse(body: string | Uint8Array): JsonObject {
    const text = typeof body === 'string' ? body : new TextDecoder().decode(body)
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      if (text.trim() === '') throw this.error('a JSON object', 'empty')
      // The engine's own words tell where, and what stands there.
      throw this.error('valid JSON', `not JSON (${(cause as Error).message})`)
    }
    return this.object(value)
  }

  error(expected: string, got: string): OtlpJsonError {
    let path = ''
    for (const step of this.path)
      path += typeof step === 'number' ? `[${step}]` : path === '' ? step : `.${step}`
    return new OtlpJsonError(path, expected, got)
  }

  object(value: unknown): JsonObject {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.error('an object', show(value))
    }
    return value as JsonObject
  }

  /** A nested message; `fallback` when it is absent. */
  message<T>(from: JsonObject, key: string, fallback: T, read: (value: JsonObject) => T): T {
    const value = from[key]
    if (value === undefined || value === null) return fallback
    this.path.push(key)
    const result = read(this.object(value))
    this.path.pop()
    return result
  }

  list<T>(from: JsonObject, key: string, read: (item: JsonObject) => T): T[] {
    const value = from[key]
    if (value === undefined || value === null) return []
    this.path.push(key)
    if (!Array.isArray(value)) throw this.error('an array', show(value))
    const items: T[] = []
    for (let i = 0; i < value.length; i++) {
      this.path.push(i)
      items.push(read(this.object(value[i])))
      this.path.pop()
    }
    this.path.pop()
    return items
  }

  text(from: JsonObject, key: string): string {
    const value = from[key]
    if (value === undefined || value === null) return ''
    if (typeof value !== 'string') throw this.wrong(key, 'a string', value)
    return value
  }

  /** Hex of either case, `bytes` long; lower case comes out. */
  id(from: JsonObject, key: string, bytes: number): string {
    const id = this.text(from, key)
    if (id === '') return ''
    if (id.length !== bytes * 2 || !/^[0-9a-fA-F]+$/.test(id)) {
      throw this.wrong(key, `${bytes * 2} hex digits`, id)
    }
    return id.toLowerCase()
  }

  /** `uint32` or `fixed32`: a number, or a decimal string. */
  uint32(from: JsonObject, key: string): number {
    return Number(this.integer(from, key, 0n, BigInt(MAX_UINT32)))
  }

  /** `fixed64`, nanoseconds: a decimal string or a number, never negative. */
  uint64(from: JsonObject, key: string): bigint {
    return this.integer(from, key, 0n, MAX_UINT64)
  }

  /** OTLP allows only integers for enums, not their names. */
  enumNumber(from: JsonObject, key: string): number {
    const value = from[key]
    if (value === undefined || value === null) return 0
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      throw this.wrong(key, 'an enum as integer', value)
    }
    return value
  }

  int32(from: JsonObject, key: string): number {
    return Number(this.integer(from, key, -(1n << 31n), (1n << 31n) - 1n))
  }

  /** `null` when absent: zero is a value. */
  optionalInt64(from: JsonObject, key: string): bigint | null {
    return isAbsent(from[key]) ? null : this.integer(from, key, MIN_INT64, MAX_INT64)
  }

  /** `null` when absent: zero is a value. */
  optionalDouble(from: JsonObject, key: string): number | null {
    return isAbsent(from[key]) ? null : this.double(from, key)
  }

  bool(from: JsonObject, key: string): boolean {
    const value = from[key]
    if (isAbsent(value)) return false
    if (typeof value !== 'boolean') throw this.wrong(key, 'true or false', value)
    return value
  }

  uint64s(from: JsonObject, key: string): bigint[] {
    return this.items(from, key, (item) => this.uint64(item, 'item'))
  }

  doubles(from: JsonObject, key: string): number[] {
    return this.items(from, key, (item) => this.double(item, 'item'))
  }

  int32s(from: JsonObject, key: string): number[] {
    return this.items(from, key, (item) => this.int32(item, 'item'))
  }

  int64(from: JsonObject, key: string): bigint {
    return this.integer(from, key, MIN_INT64, MAX_INT64)
  }

  int64s(from: JsonObject, key: string): bigint[] {
    return this.items(from, key, (item) => this.int64(item, 'item'))
  }

  texts(from: JsonObject, key: string): string[] {
    return this.items(from, key, (item) => this.text(item, 'item'))
  }

  bytes(from: JsonObject, key: string): Uint8Array {
    const bytes = bytesOfBase64(this.text(from, key))
    if (bytes === null) throw this.wrong(key, 'base64', from[key])
    return bytes
  }

  /** The text of the dictionary that a number names. */
  private textOf(from: JsonObject, key: string, texts: readonly string[]): string {
    const index = this.int32(from, key)
    const text = index === 0 ? '' : texts[index]
    if (text === undefined) throw this.wrong(key, `a text of a dictionary of ${texts.length}`, index)
    return text
  }

  private items<T>(from: JsonObject, key: string, read: (item: JsonObject) => T): T[] {
    const values = from[key]
    if (isAbsent(values)) return []
    if (!Array.isArray(values)) throw this.wrong(key, 'an array', values)
    this.path.push(key)
    const numbers = values.map((item: unknown) => {
      this.budget.takeValue()
      return read({ item })
    })
    this.path.pop()
    return numbers
  }

  private integer(from: JsonObject, key: string, min: bigint, max: bigint): bigint {
    const value = from[key]
    if (value === undefined || value === null) return 0n
    let result: bigint | null = null
    if (typeof value === 'number' && Number.isInteger(value)) result = BigInt(value)
    else if (typeof value === 'string' && /^-?[0-9]{1,20}$/.test(value)) result = BigInt(value)
    if (result === null || result < min || result > max) {
      throw this.wrong(key, `an integer from ${min} to ${max}, as string or number`, value)
    }
    return result
  }

  /** An AnyValue object; the last known field wins, as in protobuf. */
  anyValue(from: JsonObject, depth = 0): AnyValue {
    if (depth > this.budget.limits.maxDepth) {
      throw this.error(`nesting of at most ${this.budget.limits.maxDepth}`, 'nested deeper')
    }
    let value: AnyValue = null
    for (const key of Object.keys(from)) {
      const given = from[key]
      if (given === null) continue
      switch (key) {
        case 'stringValue':
          value = this.text(from, key)
          break
        case 'boolValue':
          if (typeof given !== 'boolean') throw this.wrong(key, 'true or false', given)
          value = given
          break
        case 'intValue':
          value = this.integer(from, key, MIN_INT64, MAX_INT64)
          break
        case 'doubleValue':
          value = this.double(from, key)
          break
        case 'bytesValue':
          value = this.bytes(from, key)
          break
        case 'stringValueStrindex':
          if (this.budget.texts !== null) value = this.textOf(from, key, this.budget.texts)
          break
        case 'arrayValue':
          value = this.message<AnyValue[]>(from, key, [], (array) =>
            this.list(array, 'values', (item) => {
              this.budget.takeValue()
              return this.anyValue(item, depth + 1)
            }),
          )
          break
        case 'kvlistValue':
          value = this.message(from, key, { kvlist: [] as KeyValue[] }, (list) => ({
            kvlist: this.keyValues(list, 'values', depth + 1),
          }))
          break
      }
    }
    return value
  }

  private double(from: JsonObject, key: string): number {
    const value = from[key]
    if (typeof value === 'number') return value
    if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value)
    if (typeof value === 'string' && /^-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$/.test(value))
      return Number(value)
    throw this.wrong(key, 'a number', value)
  }

  keyValues(from: JsonObject, key: string, depth = 0): KeyValue[] {
    return this.list(from, key, (item) => {
      this.budget.takeValue()
      return {
        key:
          this.budget.texts === null || isAbsent(item.keyStrindex)
            ? this.text(item, 'key')
            : this.textOf(item, 'keyStrindex', this.budget.texts),
        value: this.message<AnyValue>(item, 'value', null, (value) => this.anyValue(value, depth)),
      }
    })
  }

  resource(from: JsonObject): Resource {
    return {
      attributes: this.keyValues(from, 'attributes'),
      droppedAttributesCount: this.uint32(from, 'droppedAttributesCount'),
    }
  }

  scope(from: JsonObject): Scope {
    return {
      name: this.text(from, 'name'),
      version: this.text(from, 'version'),
      attributes: this.keyValues(from, 'attributes'),
      droppedAttributesCount: this.uint32(from, 'droppedAttributesCount'),
    }
  }

  private wrong(key: string, expected: string, got: unknown): OtlpJsonError {
    this.path.push(key)
    return this.error(expected, show(got))
  }
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null
}

/** A short picture of a bad value: a body may hold megabytes, an error message must not. */
function show(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
