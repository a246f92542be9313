import { type BaggageFormat, remoteIds, type TraceFormat } from './format.ts'

const HEADER = 'uber-trace-id'
const BAGGAGE_PREFIX = 'uberctx-'
const SAMPLED = 1
const DEBUG = 2

/** Jaeger's `{trace}:{span}:{parent}:{flags}`: leading zeros may be missing, colons may be percent-encoded. */
export const jaeger: TraceFormat = {
  fields: [HEADER],
  read(headers) {
    const parts = decoded(headers.get(HEADER) ?? '')?.split(':')
    if (parts?.length !== 4) return undefined
    const [traceId, spanId, , flags] = parts as [string, string, string, string]
    if (!/^[0-9a-f]{1,2}$/i.test(flags)) return undefined
    const bits = Number.parseInt(flags, 16)
    const sampled = (bits & SAMPLED) !== 0
    return remoteIds(traceId, spanId, sampled, sampled && (bits & DEBUG) !== 0)
  },
  write({ traceId, spanId, flags, debug }, headers) {
    // The parent's id is deprecated and always 0.
    headers.set(HEADER, `${traceId}:${spanId}:0:0${(flags & SAMPLED) | (debug ? DEBUG : 0)}`)
  },
}

/** What a header may be called (RFC 9110, 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i

/** One `uberctx-{key}` header per entry. Keys that no header may be called are left out. */
export const jaegerBaggage: BaggageFormat = {
  fields: [],
  read(headers) {
    const members: string[] = []
    for (const name of headers.names()) {
      if (!name.startsWith(BAGGAGE_PREFIX) || name.length === BAGGAGE_PREFIX.length) continue
      const value = decoded(headers.get(name) ?? '')
      if (value === undefined) continue
      const key = name.slice(BAGGAGE_PREFIX.length)
      members.push(`${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    }
    return members.join(',')
  },
  write(baggage, headers) {
    for (const [key, entry] of baggage.getAllEntries()) {
      const name = BAGGAGE_PREFIX + key
      if (TOKEN.test(key) && !headers.has(name)) headers.set(name, encodeURIComponent(entry.value))
    }
  },
}

/** Undefined when the percent-encoding is broken. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
