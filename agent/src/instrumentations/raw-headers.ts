/**
 * Headers of an incoming message as they came. `IncomingMessage.headers` is built when it is first read: about a microsecond
 * per request that many apps never spend, so we do not spend it for them.
 */

function isName(candidate: string, name: string): boolean {
  if (candidate === name) return true
  if (candidate.length !== name.length) return false
  for (let i = 0; i < name.length; i++) {
    const unit = candidate.charCodeAt(i)
    const lower = unit >= 65 && unit <= 90 ? unit + 32 : unit
    if (lower !== name.charCodeAt(i)) return false
  }
  return true
}

/** The first value of a header in `rawHeaders`; `name` is lower case. */
export function rawHeader(raw: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < raw.length; i += 2) if (isName(raw[i]!, name)) return raw[i + 1]
  return undefined
}

/** All values of a header that may stand several times, joined by commas. */
export function rawList(raw: readonly string[], name: string): string | undefined {
  let found: string | undefined
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (isName(raw[i]!, name)) found = found === undefined ? raw[i + 1] : `${found},${raw[i + 1]}`
  }
  return found
}
