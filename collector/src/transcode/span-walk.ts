import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { DecodeLimits } from '@hotspan/otlp'
import { WireError, type WireErrorReason, WireReader } from '@hotspan/otlp/wire'
import { writeAnyValue } from './any-value.ts'
import type { ValueBudget } from './nested-value.ts'
import { RowWriter } from './row-writer.ts'
import { spanKindNames, statusCodeNames } from './spans-from-objects.ts'

/**
 * The body holds what the walk does not do: a key twice, more than 1,024 attributes, events or links of one span, a key that is not UTF-8 or over
 * 1 KiB, a resource of more than 64 KiB, a text of more than 320 KiB; or it is large and there is no memory for it. The object route does.
 */
export class NotForTheWalk extends Error {}

/** The exports of `assembly/walk.ts`. */
interface WalkExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  /** Address at which a body starts. */
  readonly body: { readonly value: number }
  readonly kindNames: { readonly value: number }
  readonly statusNames: { readonly value: number }
  readonly valuesLeft: { value: number }
  /** Of the spans of the last body. */
  readonly earliestNs: { readonly value: bigint }
  readonly latestNs: { readonly value: bigint }
  walk(bytes: number, maxSpans: number, maxValues: number): number
  xxh64(from: number, to: number, seed: bigint): bigint
}

/** What is used of it here: its types are those of browsers only. */
const { Module, Instance } = (
  globalThis as unknown as {
    WebAssembly: {
      Module: new (bytes: Uint8Array) => object
      Instance: new (module: object, imports: object) => { readonly exports: unknown }
    }
  }
).WebAssembly

/** What the walk found besides its rows. */
export interface Walked {
  readonly rows: number
  /** Between which times its spans start, ns since 1970; the earliest is behind the latest without any. */
  readonly earliestNs: bigint
  readonly latestNs: bigint
  /** 16 bytes as latin1 text: tells the body from others. */
  readonly fingerprint: string
  /** Attribute values that were cut. */
  readonly cutValues: number
}

const pageBytes = 64 * 1024
/** Bytes of a name's place, see `assembly/spans.ts`. */
const namePlaceBytes = 16
/** The walk reads so many bytes at once. */
const readAheadBytes = 16
const fingerprintBytes = Buffer.alloc(16)

/** By the number in `assembly/wire.ts`. */
const faults: readonly (readonly [WireErrorReason, (first: number, second: number) => string])[] = [
  ['truncated', () => 'message ends in the middle of a value'],
  ['truncated', () => 'length runs past the end'],
  ['varint-too-long', () => 'varint longer than ten bytes'],
  ['bad-tag', () => 'bad field number'],
  ['bad-wire-type', (wireType) => `wire type ${wireType} is not valid here`],
  ['too-deep', () => 'groups nested too deep'],
  ['bad-wire-type', () => 'group end without its start'],
  ['bad-value', (length, expected) => `id of ${length} bytes, expected ${expected}`],
  ['too-many', () => 'more spans than allowed'],
  ['too-many', () => 'more attribute values than allowed'],
]

/** The same place seen from `src/` and from `dist/`. */
const modulePath = fileURLToPath(new URL('../../dist/transcode/span-walk.wasm', import.meta.url))
const compiled = new Module(moduleBytes())

function moduleBytes(): Uint8Array {
  try {
    return readFileSync(modulePath)
  } catch (cause) {
    throw new Error(
      `${modulePath} is missing: it is compiled from collector/assembly by 'npm run build -w collector', not by tsc alone`,
      { cause },
    )
  }
}

/** Throws `NotForTheWalk` where there is no memory: V8 reserves addresses for the largest one that could be, which `ulimit -v` may forbid. */
function startWalk(maxBodyBytes: number, host: object): WalkExports {
  try {
    const exports = new Instance(compiled, { host }).exports as WalkExports
    const { memory, body } = exports
    const needBytes = body.value + maxBodyBytes + readAheadBytes
    memory.grow(Math.max(0, Math.ceil((needBytes - memory.buffer.byteLength) / pageBytes)))
    return exports
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new NotForTheWalk(`no memory for bodies of ${maxBodyBytes} bytes: ${cause.message}`, { cause })
  }
}

/**
 * An instance of the walk in WebAssembly, for bodies of up to `maxBodyBytes`. Its memory is half a megabyte and the body, and does not grow;
 * what no body has touched is not resident.
 */
export class SpanWalk {
  readonly maxBodyBytes: number
  private readonly exports: WalkExports
  private readonly memory: Buffer
  private readonly bodyAt: number
  /** What is walked now. */
  private body: Uint8Array = Buffer.alloc(0)
  private maxDepth = 0
  private rowsOut: RowWriter
  private readonly spelled = new RowWriter(1024)

  constructor(maxBodyBytes: number) {
    this.maxBodyBytes = maxBodyBytes
    this.rowsOut = this.spelled
    this.exports = startWalk(maxBodyBytes, {
      refuse: (fault: number, offset: number, first: number, second: number) => {
        const [reason, words] = faults[fault]!
        throw new WireError(reason, offset, words(first, second))
      },
      giveUp: () => {
        throw new NotForTheWalk()
      },
      takeRows: (from: number, to: number) => this.rowsOut.raw(this.memory, from, to),
      spellValue: (from: number, to: number, target: number, room: number) =>
        this.spell(from, to, target, room, true),
      spellText: (from: number, to: number, target: number, room: number) =>
        this.spell(from, to, target, room, false),
    })
    const { memory, body, kindNames, statusNames } = this.exports
    this.bodyAt = body.value
    this.memory = Buffer.from(memory.buffer)
    this.placeNames(kindNames.value, spanKindNames)
    this.placeNames(statusNames.value, statusCodeNames)
  }

  private placeNames(at: number, names: readonly string[]): void {
    for (const [index, name] of names.entries()) {
      this.memory[at + index * namePlaceBytes] = name.length
      this.memory.write(name, at + index * namePlaceBytes + 1, 'latin1')
    }
  }

  /**
   * Appends the rows of a body to `rowsOut`.
   *
   * @throws WireError when the body is no such message or passes a limit, `NotForTheWalk`, and what the writers throw
   */
  walk(body: Uint8Array, limits: DecodeLimits, rowsOut: RowWriter): Walked {
    this.body = body
    this.maxDepth = limits.maxDepth
    this.rowsOut = rowsOut
    this.spelled.cutValues = 0
    this.memory.set(body, this.bodyAt)
    const rows = this.exports.walk(body.length, limits.maxRecords, limits.maxValues)
    const { earliestNs, latestNs } = this.exports
    return {
      rows,
      earliestNs: BigInt.asUintN(64, earliestNs.value),
      latestNs: BigInt.asUintN(64, latestNs.value),
      fingerprint: this.fingerprint(body.length),
      cutValues: this.spelled.cutValues,
    }
  }

  private fingerprint(bytes: number): string {
    const { exports, bodyAt } = this
    for (const seed of [0, 1]) {
      fingerprintBytes.writeBigInt64LE(exports.xxh64(bodyAt, bodyAt + bytes, BigInt(seed)), seed * 8)
    }
    return fingerprintBytes.toString('latin1')
  }

  /** Writes an AnyValue, or a text, to `target`; returns its size. */
  private spell(from: number, to: number, target: number, room: number, isValue: boolean): number {
    const { spelled, body, bodyAt, exports } = this
    const start = from - bodyAt
    const end = to - bodyAt
    spelled.startAgain()
    if (isValue) {
      const budget: ValueBudget = { valuesLeft: exports.valuesLeft.value, maxDepth: this.maxDepth }
      writeAnyValue(new WireReader(body, start, end), budget, spelled)
      exports.valuesLeft.value = budget.valuesLeft
    } else spelled.text(body, start, end)
    if (spelled.at > room) throw new NotForTheWalk()
    this.memory.set(spelled.bytes.subarray(0, spelled.at), target)
    return spelled.at
  }
}
