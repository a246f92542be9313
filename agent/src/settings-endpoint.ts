import type { Endpoint } from './send/post.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Reads a whole number from a variable; complains and answers the fallback when it is none. */
export type ReadWhole = (name: string, fallback: number, least?: number) => number

const DEFAULT_ENDPOINT = 'http://127.0.0.1:4318'

/**
 * Where one signal goes: `OTEL_EXPORTER_OTLP_*` with the signal's own variables before the common ones (OTLP exporter
 * specification). The signal's endpoint is used as it is; the common one is a base.
 */
export function endpointOf(
  signal: 'TRACES' | 'LOGS' | 'METRICS',
  given: { endpoint?: string; headers?: Record<string, string> },
  env: Env,
  whole: ReadWhole,
  complaints: string[],
): Endpoint {
  const variable = (name: string): string | undefined =>
    env[`OTEL_EXPORTER_OTLP_${signal}_${name}`] || env[`OTEL_EXPORTER_OTLP_${name}`]
  const path = `/v1/${signal.toLowerCase()}`
  const own = given.endpoint === undefined ? env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] : undefined
  const base = given.endpoint ?? (env.OTEL_EXPORTER_OTLP_ENDPOINT || DEFAULT_ENDPOINT)
  const text = own || `${base.replace(/\/+$/, '')}${path}`
  let url: URL
  try {
    url = new URL(text)
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new TypeError('not http')
  } catch {
    complaints.push(`the OTLP endpoint is '${text}'; expected an http(s) URL; ${DEFAULT_ENDPOINT} is used`)
    url = new URL(`${DEFAULT_ENDPOINT}${path}`)
  }
  const protocol = variable('PROTOCOL')
  if (protocol !== undefined && protocol !== 'http/protobuf') {
    complaints.push(
      `OTEL_EXPORTER_OTLP_PROTOCOL is '${protocol}'; only http/protobuf is spoken and it is used`,
    )
  }
  const compression = variable('COMPRESSION')
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  const headersOf = (name: string): Record<string, string> =>
    lowerKeys(parsePairs(env[name], name, complaints))
  return {
    url,
    headers: {
      ...headersOf('OTEL_EXPORTER_OTLP_HEADERS'),
      ...headersOf(`OTEL_EXPORTER_OTLP_${signal}_HEADERS`),
      ...lowerKeys(given.headers ?? {}),
    },
    timeoutMs: whole(
      `OTEL_EXPORTER_OTLP_${signal}_TIMEOUT`,
      whole('OTEL_EXPORTER_OTLP_TIMEOUT', 10_000, 1),
      1,
    ),
    gzip: compression === undefined ? !loopback : compression === 'gzip',
  }
}

const lowerKeys = (pairs: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(pairs).map(([key, value]) => [key.toLowerCase(), value]))

/** `key=value,key=value`, percent-encoded values. */
export function parsePairs(
  text: string | undefined,
  name: string,
  complaints: string[],
): Record<string, string> {
  const pairs: Record<string, string> = {}
  for (const member of (text ?? '').split(',')) {
    if (member.trim() === '') continue
    const equals = member.indexOf('=')
    try {
      if (equals <= 0) throw new TypeError('no key')
      pairs[member.slice(0, equals).trim()] = decodeURIComponent(member.slice(equals + 1).trim())
    } catch {
      complaints.push(`${name} has a member that is not key=value (percent-encoded); it is left out`)
    }
  }
  return pairs
}
