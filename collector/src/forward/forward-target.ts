import type { ForwardTarget } from './exporter.ts'

/**
 * Where to send on: what was asked for, else HOTSPAN_FORWARD_URL; null for nowhere. Headers that were not given come from
 * HOTSPAN_FORWARD_HEADERS, `name=value,...` with values that may be percent-encoded, as in OTEL_EXPORTER_OTLP_HEADERS.
 */
export function forwardTarget(
  asked: ForwardTarget | null | undefined,
  env: NodeJS.ProcessEnv = process.env,
): ForwardTarget | null {
  if (asked === null) return null
  const url = asked?.url ?? env.HOTSPAN_FORWARD_URL ?? ''
  if (url === '') return null
  return { url, headers: asked?.headers ?? headersOf(env.HOTSPAN_FORWARD_HEADERS ?? '') }
}

function headersOf(list: string): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const pair of list.split(',')) {
    const at = pair.indexOf('=')
    if (at <= 0) continue
    const value = pair.slice(at + 1).trim()
    headers[pair.slice(0, at).trim().toLowerCase()] = /%[0-9a-f]{2}/i.test(value) ? decoded(value) : value
  }
  return headers
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
