import { WireError, type WireReader } from '@hotspan/otlp/wire'
import { AttributeTable, type TranscodeBudget, takeValue } from './attribute-table.ts'

export const traceIdBytes = 16
export const spanIdBytes = 8

/** One span's fields as offsets into the body; one instance serves all spans of all bodies. */
class SpanFields {
  traceIdStart = 0
  traceIdLength = 0
  spanIdStart = 0
  spanIdLength = 0
  parentStart = 0
  parentLength = 0
  stateStart = 0
  stateEnd = 0
  nameStart = 0
  nameEnd = 0
  kind = 0
  /** Offsets of the eight bytes of each, -1 for an absent time. */
  startAt = -1
  endAt = -1
  statusCode = 0
  statusStart = 0
  statusEnd = 0
  /** Start and end of every event and link, in pairs. */
  readonly events: number[] = []
  readonly links: number[] = []

  clear(): void {
    this.traceIdLength = this.spanIdLength = this.parentLength = 0
    this.stateStart = this.stateEnd = this.nameStart = this.nameEnd = 0
    this.kind = 0
    this.startAt = this.endAt = -1
    this.statusCode = this.statusStart = this.statusEnd = 0
    if (this.events.length > 0) this.events.length = 0
    if (this.links.length > 0) this.links.length = 0
  }
}

/** Of the span that `readSpan` has read last. */
export const fields = new SpanFields()
export const spanAttributes = new AttributeTable()

/** Offset of an id of the right length; a length of 0 is an absent id. */
export function idLength(r: WireReader, expected: number): number {
  const start = r.at
  const length = r.length()
  if (length !== 0 && length !== expected)
    throw new WireError('bad-value', start, `id of ${length} bytes, expected ${expected}`)
  r.at += length
  return length
}

/** Reads one span into `fields` and `spanAttributes`. Fields in the form that every encoder writes them in; all others go through `readSpanField`. */
export function readSpan(r: WireReader, budget: TranscodeBudget): void {
  fields.clear()
  spanAttributes.clear()
  const outer = r.enter()
  const { bytes, end } = r
  let { at } = r
  while (at < end) {
    // Behind the last byte stands undefined, which equals no length.
    const next = bytes[at + 1]!
    switch (bytes[at]) {
      case 10:
        if (next === traceIdBytes && at + 18 <= end) {
          fields.traceIdLength = traceIdBytes
          fields.traceIdStart = at + 2
          at += 18
          continue
        }
        break
      case 18:
        if (next === spanIdBytes && at + 10 <= end) {
          fields.spanIdLength = spanIdBytes
          fields.spanIdStart = at + 2
          at += 10
          continue
        }
        break
      case 34:
        if (next === spanIdBytes && at + 10 <= end) {
          fields.parentLength = spanIdBytes
          fields.parentStart = at + 2
          at += 10
          continue
        }
        break
      case 42:
        if (next < 0x80 && at + 2 + next <= end) {
          fields.nameStart = at + 2
          fields.nameEnd = at += 2 + next
          continue
        }
        break
      case 48:
        if (next < 0x80 && at + 2 <= end) {
          fields.kind = next
          at += 2
          continue
        }
        break
      case 57:
        if (at + 9 <= end) {
          fields.startAt = at + 1
          at += 9
          continue
        }
        break
      case 65:
        if (at + 9 <= end) {
          fields.endAt = at + 1
          at += 9
          continue
        }
        break
      case 74: {
        takeValue(budget, at)
        const behind = spanAttributes.addUsual(bytes, at + 1, end)
        if (behind >= 0) at = behind
        else {
          r.at = at + 1
          spanAttributes.addAny(r)
          at = r.at
        }
        continue
      }
      // A status that says nothing, as most senders write it.
      case 122:
        if (next === 0 && at + 2 <= end) {
          fields.statusCode = fields.statusStart = fields.statusEnd = 0
          at += 2
          continue
        }
        break
      // The flags, which no column holds.
      case 133:
        if (next === 1 && at + 6 <= end) {
          at += 6
          continue
        }
        break
    }
    r.at = at
    readSpanField(r, budget)
    at = r.at
  }
  r.at = at
  r.leave(outer)
}

function readSpanField(r: WireReader, budget: TranscodeBudget): void {
  const tag = r.tag()
  switch (tag) {
    case 10:
      fields.traceIdLength = idLength(r, traceIdBytes)
      fields.traceIdStart = r.at - fields.traceIdLength
      break
    case 18:
      fields.spanIdLength = idLength(r, spanIdBytes)
      fields.spanIdStart = r.at - fields.spanIdLength
      break
    case 26: {
      const length = r.length()
      fields.stateStart = r.at
      fields.stateEnd = r.at += length
      break
    }
    case 34:
      fields.parentLength = idLength(r, spanIdBytes)
      fields.parentStart = r.at - fields.parentLength
      break
    case 42: {
      const length = r.length()
      fields.nameStart = r.at
      fields.nameEnd = r.at += length
      break
    }
    case 48:
      fields.kind = r.int32()
      break
    case 57:
      r.fixed64()
      fields.startAt = r.at - 8
      break
    case 65:
      r.fixed64()
      fields.endAt = r.at - 8
      break
    case 74:
      spanAttributes.add(r, budget)
      break
    case 90:
    case 106: {
      takeValue(budget, r.at)
      const length = r.length()
      const list = tag === 90 ? fields.events : fields.links
      list.push(r.at, r.at + length)
      r.at += length
      break
    }
    case 122:
      readStatus(r)
      break
    default:
      r.skip(tag)
  }
}

function readStatus(r: WireReader): void {
  const outer = r.enter()
  fields.statusCode = fields.statusStart = fields.statusEnd = 0
  while (r.more()) {
    const tag = r.tag()
    if (tag === 18) {
      const length = r.length()
      fields.statusStart = r.at
      fields.statusEnd = r.at += length
    } else if (tag === 24) fields.statusCode = r.int32()
    else r.skip(tag)
  }
  r.leave(outer)
}
