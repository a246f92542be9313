import type { ByteWriter } from './byte-writer.ts'
import type { DecodeBudget } from './decode-limits.ts'
import type { AnyValue, KeyValue, KeyValueList, Resource, Scope } from './span.ts'
import { WireError } from './wire-error.ts'
import type { WireReader } from './wire-read.ts'

// opentelemetry/proto/common/v1/common.proto: AnyValue { string 1, bool 2, int 3, double 4, array 5, kvlist 6, bytes 7, text of a profile's dictionary 8 }

export function isKeyValueList(value: AnyValue): value is KeyValueList {
  return typeof value === 'object' && value !== null && 'kvlist' in value
}

export function writeAnyValue(w: ByteWriter, value: AnyValue): void {
  if (typeof value === 'string') w.stringField(1, value, true)
  else if (typeof value === 'boolean') {
    w.tag(2, 0)
    w.varint(value ? 1 : 0)
  } else if (typeof value === 'bigint') w.bigintField(3, value)
  else if (typeof value === 'number') w.doubleField(4, value)
  else if (value instanceof Uint8Array) w.bytesField(7, value, true)
  else if (value !== null) {
    if (isKeyValueList(value)) w.message(6, () => writeKeyValues(w, 1, value.kvlist))
    else w.message(5, () => writeArray(w, value))
  }
}

function writeArray(w: ByteWriter, items: readonly AnyValue[]): void {
  for (const item of items) w.message(1, () => writeAnyValue(w, item))
}

export function writeKeyValues(w: ByteWriter, field: number, list: readonly KeyValue[]): void {
  for (const { key, value } of list) {
    w.message(field, () => {
      w.stringField(1, key)
      if (value !== null) w.message(2, () => writeAnyValue(w, value))
    })
  }
}

export function writeResource(w: ByteWriter, resource: Resource): void {
  writeKeyValues(w, 1, resource.attributes)
  w.uintField(2, resource.droppedAttributesCount)
}

export function writeScope(w: ByteWriter, scope: Scope): void {
  w.stringField(1, scope.name)
  w.stringField(2, scope.version)
  writeKeyValues(w, 3, scope.attributes)
  w.uintField(4, scope.droppedAttributesCount)
}

/** The reader stands inside the AnyValue message. The last field of the oneof wins, as protobuf asks. */
export function readAnyValue(r: WireReader, budget: DecodeBudget, depth: number): AnyValue {
  if (depth > budget.limits.maxDepth) {
    throw new WireError('too-deep', r.at, `attribute nested deeper than ${budget.limits.maxDepth}`)
  }
  let value: AnyValue = null
  while (r.more()) {
    const tag = r.tag()
    switch (tag) {
      case 10:
        value = r.string()
        break
      case 16:
        value = r.bool()
        break
      case 24:
        value = r.int64BigInt()
        break
      case 33:
        value = r.double()
        break
      case 42:
        value = readArray(r, budget, depth)
        break
      case 50: {
        const outer = r.enter()
        const kvlist: KeyValue[] = []
        while (r.more()) {
          const inner = r.tag()
          if (inner === 10) kvlist.push(readKeyValue(r, budget, depth + 1))
          else r.skip(inner)
        }
        r.leave(outer)
        value = { kvlist }
        break
      }
      case 58:
        value = r.slice().slice()
        break
      case 64:
        if (budget.texts === null) r.skip(tag)
        else value = readTextOf(r, budget.texts)
        break
      default:
        r.skip(tag)
    }
  }
  return value
}

/** The text of a dictionary that a number names. */
function readTextOf(r: WireReader, texts: readonly string[]): string {
  const at = r.at
  const index = r.int32()
  const text = index === 0 ? '' : texts[index]
  if (text === undefined) {
    throw new WireError('bad-value', at, `text ${index} of a dictionary of ${texts.length}`)
  }
  return text
}

function readArray(r: WireReader, budget: DecodeBudget, depth: number): AnyValue[] {
  const outer = r.enter()
  const items: AnyValue[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag !== 10) {
      r.skip(tag)
      continue
    }
    budget.takeValue(r.at)
    const inner = r.enter()
    items.push(readAnyValue(r, budget, depth + 1))
    r.leave(inner)
  }
  r.leave(outer)
  return items
}

/** The reader stands on the length of a KeyValue. */
export function readKeyValue(r: WireReader, budget: DecodeBudget, depth = 0): KeyValue {
  budget.takeValue(r.at)
  const outer = r.enter()
  let key = ''
  let value: AnyValue = null
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) key = r.string()
    else if (tag === 18) {
      const inner = r.enter()
      value = readAnyValue(r, budget, depth)
      r.leave(inner)
    } else if (tag === 24 && budget.texts !== null) key = readTextOf(r, budget.texts)
    else r.skip(tag)
  }
  r.leave(outer)
  return { key, value }
}

/** The reader stands on the length of a Resource. */
export function readResource(r: WireReader, budget: DecodeBudget): Resource {
  const outer = r.enter()
  const attributes: KeyValue[] = []
  let droppedAttributesCount = 0
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) attributes.push(readKeyValue(r, budget))
    else if (tag === 16) droppedAttributesCount = r.uint32()
    else r.skip(tag)
  }
  r.leave(outer)
  return { attributes, droppedAttributesCount }
}

/** The reader stands on the length of an InstrumentationScope. */
export function readScope(r: WireReader, budget: DecodeBudget): Scope {
  const outer = r.enter()
  const attributes: KeyValue[] = []
  let name = ''
  let version = ''
  let droppedAttributesCount = 0
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) name = r.string()
    else if (tag === 18) version = r.string()
    else if (tag === 26) attributes.push(readKeyValue(r, budget))
    else if (tag === 32) droppedAttributesCount = r.uint32()
    else r.skip(tag)
  }
  r.leave(outer)
  return { name, version, attributes, droppedAttributesCount }
}

export const emptyResource: Resource = { attributes: [], droppedAttributesCount: 0 }
export const emptyScope: Scope = { name: '', version: '', attributes: [], droppedAttributesCount: 0 }
