import {
  type Baggage,
  type BaggageEntry,
  baggageEntryMetadataFromString,
  propagation,
} from '@opentelemetry/api'

/** W3C baggage: at most 64 members and 8,192 bytes. */
export const MAX_BAGGAGE_MEMBERS = 64
export const MAX_BAGGAGE_BYTES = 8192

let lastHeader = ''
let lastBaggage: Baggage | undefined

/** Entries of a `baggage` header. Members that cannot be read are left out. The last header is remembered. */
export function parseBaggage(header: string): Baggage | undefined {
  if (header === lastHeader) return lastBaggage
  const entries: Record<string, BaggageEntry> = {}
  let count = 0
  if (header.length <= MAX_BAGGAGE_BYTES) {
    for (const member of header.split(',')) {
      if (count >= MAX_BAGGAGE_MEMBERS) break
      const semicolon = member.indexOf(';')
      const pair = semicolon < 0 ? member : member.slice(0, semicolon)
      const equals = pair.indexOf('=')
      if (equals <= 0) continue
      try {
        const key = decodeURIComponent(pair.slice(0, equals).trim())
        const value = decodeURIComponent(pair.slice(equals + 1).trim())
        if (key === '') continue
        entries[key] =
          semicolon < 0
            ? { value }
            : { value, metadata: baggageEntryMetadataFromString(member.slice(semicolon + 1)) }
        count++
      } catch {
        // A member with broken percent-encoding is skipped, as the standard allows.
      }
    }
  }
  lastHeader = header
  lastBaggage = count === 0 ? undefined : propagation.createBaggage(entries)
  return lastBaggage
}

/** `baggage` header of these entries, within the limits. */
export function formatBaggage(baggage: Baggage): string {
  let header = ''
  let count = 0
  for (const [key, entry] of baggage.getAllEntries()) {
    if (count >= MAX_BAGGAGE_MEMBERS) break
    let member = `${encodeURIComponent(key)}=${encodeURIComponent(entry.value)}`
    if (entry.metadata !== undefined) member += `;${entry.metadata.toString()}`
    if (header.length + member.length + 1 > MAX_BAGGAGE_BYTES) continue
    header += header === '' ? member : `,${member}`
    count++
  }
  return header
}
