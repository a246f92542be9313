/** OTLP/JSON (opentelemetry-proto 1.10): ids in hex, 64-bit integers as decimal strings. */
export type AttributeValue = string | number | boolean | readonly string[] | null | undefined

export type Attributes = Record<string, AttributeValue>

const anyValue = (value: AttributeValue): object =>
  typeof value === 'string'
    ? { stringValue: value }
    : typeof value === 'boolean'
      ? { boolValue: value }
      : typeof value === 'number'
        ? Number.isSafeInteger(value)
          ? { intValue: `${value}` }
          : { doubleValue: value }
        : { arrayValue: { values: value!.map(anyValue) } }

/** Left out: null, undefined, and numbers that JSON cannot write. Zero is kept; whether zero means "unknown" is the caller's to say. */
export const keyValues = (attributes: Attributes): object[] => {
  // One loop: chains of small functions are what a page that runs this for the first time pays for.
  const list: object[] = []
  for (const key of Object.keys(attributes)) {
    const value = attributes[key]
    if (typeof value === 'number' ? Number.isFinite(value) : value != null)
      list.push({ key, value: anyValue(value) })
  }
  return list
}
