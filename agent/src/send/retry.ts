/** OTLP: these statuses may be tried again, all others may not (opentelemetry-proto, OTLP/HTTP response). */
export const isRetryable = (status: number): boolean =>
  status === 429 || status === 502 || status === 503 || status === 504

const FIRST_MS = 500
const MOST_MS = 8_000

/** Wait before attempt `attempt` (1 = first retry), ms, with jitter between half and the whole. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const whole = Math.min(MOST_MS, FIRST_MS * 2 ** (attempt - 1))
  return whole * (0.5 + 0.5 * random())
}

/** `Retry-After` in seconds or as a date, as ms from `nowMs`; undefined when absent or unreadable. At most a minute. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  const seconds = Number(header)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - nowMs
  return Number.isFinite(ms) && ms >= 0 ? Math.min(60_000, ms) : undefined
}
