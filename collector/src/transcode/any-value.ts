import type { WireReader } from '@hotspan/otlp/wire'
import { attributeText } from './attribute-text.ts'
import { readNestedValue, type ValueBudget } from './nested-value.ts'
import type { RowWriter } from './row-writer.ts'

/** Writes what is left of the reader, which is an AnyValue, as text. Of several fields the last one counts. */
export function writeAnyValue(r: WireReader, budget: ValueBudget, writer: RowWriter): void {
  let textStart = -1
  let textEnd = -1
  let text = ''
  while (r.more()) {
    const at = r.at
    const tag = r.tag()
    if (tag === 10) {
      const length = r.length()
      textStart = r.at
      textEnd = r.at += length
    } else if (tag === 16) {
      textStart = -1
      text = r.bool() ? 'true' : 'false'
    } else if (tag === 24) {
      textStart = -1
      text = String(r.int64BigInt())
    } else if (tag === 33) {
      textStart = -1
      text = String(r.double())
    } else if (tag === 42 || tag === 50 || tag === 58) {
      textStart = -1
      r.at = at
      text = attributeText(readNestedValue(r, budget, 0))
    } else r.skip(tag)
  }
  if (textStart >= 0) writer.limitedText(r.bytes, textStart, textEnd)
  else writer.limitedString(text)
}
