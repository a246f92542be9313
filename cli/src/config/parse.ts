/** Readers of single values, shared by flags, variables and the configuration file. Each yields `undefined` for what it cannot read. */

const durationUnits: Record<string, number> = { ms: 1, s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3 }

export const durationExpected = 'a duration such as 500ms, 30s, 15m, 2h or 7d'

/** `15m` in ms; at most 400 days. */
export const parseDurationMs = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim())
  if (!match) return undefined
  const ms = Number(match[1]) * durationUnits[match[2]!]!
  return ms > 0 && ms <= 400 * 86_400e3 ? ms : undefined
}

export const instantExpected = 'an ISO time such as 2026-05-04T10:00:00Z, or milliseconds since 1970'

/** An ISO 8601 instant (without a zone: UTC) or epoch ms. */
export const parseInstantMs = (text: string): number | undefined => {
  const trimmed = text.trim()
  if (/^\d{12,14}$/.test(trimmed)) return Number(trimmed)
  const iso = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/
  if (!iso.test(trimmed)) return undefined
  const zoned = /(Z|[+-]\d{2}:\d{2})$/.test(trimmed) || !trimmed.includes('T') ? trimmed : `${trimmed}Z`
  const ms = Date.parse(zoned)
  return Number.isNaN(ms) ? undefined : ms
}

/** A plain decimal number; a number of the configuration file passes as it is. */
export const parseNumber = (value: unknown): number | undefined => {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string' || !/^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value.trim())) return undefined
  return Number(value)
}

export const numberBetween =
  (low: number, high: number, whole: boolean) =>
  (value: unknown): number | undefined => {
    const number = parseNumber(value)
    if (number === undefined || number < low || number > high) return undefined
    return whole && !Number.isInteger(number) ? undefined : number
  }

export const urlExpected = 'an http:// or https:// address'

export const parseHttpUrl = (text: string): URL | undefined => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:') ? url : undefined
}
