/**
 * Headers of an incoming message as they came, in one pass. `IncomingMessage.headers` is built when it is first read: about a
 * microsecond per request that many apps never spend, so we do not spend it for them.
 */

/** What the last `readHead` found; read it before the next. Headers that may stand several times are joined by commas. */
export const head = {
  host: undefined as string | undefined,
  userAgent: undefined as string | undefined,
  forwardedFor: undefined as string | undefined,
  traceParent: undefined as string | undefined,
  traceState: undefined as string | undefined,
  baggage: undefined as string | undefined,
  /** Node's own fetch sends `sec-fetch-mode`, but no `sec-fetch-site`. */
  fromBrowser: false,
}

export function readHead(raw: readonly string[]): void {
  head.host = undefined
  head.userAgent = undefined
  head.forwardedFor = undefined
  head.traceParent = undefined
  head.traceState = undefined
  head.baggage = undefined
  head.fromBrowser = false
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!
    const value = raw[i + 1]!
    switch (name.length) {
      case 4:
        if (isName(name, 'host')) head.host ??= value
        break
      case 7:
        if (isName(name, 'baggage')) head.baggage = joined(head.baggage, value)
        break
      case 10:
        if (isName(name, 'user-agent')) {
          head.userAgent ??= value
          if (value.startsWith('Mozilla/')) head.fromBrowser = true
        } else if (isName(name, 'tracestate')) head.traceState = joined(head.traceState, value)
        break
      case 11:
        if (isName(name, 'traceparent')) head.traceParent = joined(head.traceParent, value)
        break
      case 14:
        if (isName(name, 'sec-fetch-site')) head.fromBrowser = true
        break
      case 15:
        if (isName(name, 'x-forwarded-for')) head.forwardedFor ??= value
        break
    }
  }
}

const joined = (before: string | undefined, value: string): string =>
  before === undefined ? value : `${before},${value}`

/** `name` is lower case and as long as the candidate. */
function isName(candidate: string, name: string): boolean {
  if (candidate === name) return true
  for (let i = 0; i < name.length; i++) {
    const unit = candidate.charCodeAt(i)
    const lower = unit >= 65 && unit <= 90 ? unit + 32 : unit
    if (lower !== name.charCodeAt(i)) return false
  }
  return true
}
