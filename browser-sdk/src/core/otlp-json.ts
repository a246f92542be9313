/** OTLP/JSON (opentelemetry-proto 1.10): ids in hex, 64-bit integers as decimal strings. */
export type AttributeValue = string | number | boolean | readonly string[] | undefined

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

/** Left out: undefined, and numbers that JSON cannot write. Zero is kept; whether zero means "unknown" is the caller's to say. */
export const keyValues = (attributes: Attributes): object[] =>
  Object.entries(attributes)
    .filter(([, value]) => (typeof value === 'number' ? Number.isFinite(value) : value !== undefined))
    .map(([key, value]) => ({ key, value: anyValue(value) }))
