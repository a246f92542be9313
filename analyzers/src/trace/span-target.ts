import type { StoredSpan } from '@hotspan/collector'
import { describeStatement } from '../sql/describe.ts'
import { normaliseStatement } from '../sql/normalise.ts'

/** Statements met in one analysis are few; the bound only keeps a hostile store from filling memory. */
const maxCached = 5_000
const normalised = new Map<string, string>()
const described = new Map<string, ReturnType<typeof describeStatement>>()

function cached<V>(cache: Map<string, V>, key: string, make: (key: string) => V): V {
  let value = cache.get(key)
  if (value === undefined) {
    value = make(key)
    if (cache.size >= maxCached) cache.clear()
    cache.set(key, value)
  }
  return value
}

export const isDatabaseSpan = (span: StoredSpan): boolean =>
  span.kind === 'client' && (span.attributes['db.system.name'] ?? span.attributes['db.system']) !== undefined

/** Waiting for a connection of a pool, or opening one: not a call that somebody wrote. */
export const isConnectSpan = (span: StoredSpan): boolean =>
  isDatabaseSpan(span) && /\bconnect\b/i.test(span.name)

export const queryTextOf = (span: StoredSpan): string =>
  span.attributes['db.query.text'] ?? span.attributes['db.statement'] ?? ''

/** The statement without everything that differs between two calls of the same code; '' when its text is not known. */
export const statementOf = (span: StoredSpan): string =>
  cached(normalised, queryTextOf(span), normaliseStatement)

export const describe = (statement: string): ReturnType<typeof describeStatement> =>
  cached(described, statement, describeStatement)

/** Tells whether two calls of one statement had the same parameters; '' when that was not recorded. */
export const parametersOf = (span: StoredSpan): string => span.attributes['hotspan.db.parameters.hash'] ?? ''

/** Rows that the statement returned; NaN when not recorded. */
export const returnedRows = (span: StoredSpan): number =>
  Number.parseFloat(span.attributes['db.response.returned_rows'] ?? '')

/**
 * What a client span calls, without ids and values: the statement, or method, host and path template. '' when it cannot be told.
 */
export function targetOf(span: StoredSpan): string {
  if (isDatabaseSpan(span)) return statementOf(span)
  const { attributes } = span
  const url = attributes['url.full'] ?? attributes['http.url']
  if (url !== undefined) {
    const method = attributes['http.request.method'] ?? attributes['http.method'] ?? 'GET'
    return `${method} ${attributes['url.template'] ?? urlTemplate(url)}`
  }
  const rpc = attributes['rpc.method']
  if (rpc !== undefined) return `${attributes['rpc.service'] ?? ''}/${rpc}`
  return ''
}

/** Path of a URL with ids, hashes and numbers as `:id`; no host (it differs between deployments), no query, no fragment. */
export function urlTemplate(url: string): string {
  const path = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')
  const parts = path.split('/').map((part) => (isValue(part) ? ':id' : part))
  return parts.join('/') || '/'
}

const isValue = (part: string) =>
  /^\d+$/.test(part) ||
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(part) ||
  (/^[0-9a-f]{12,}$/i.test(part) && /\d/.test(part)) ||
  (/^[\w-]{20,}$/.test(part) && /\d/.test(part)) ||
  part.includes('@') ||
  part.includes('%')

/** The method and path of a call change nothing on the other side. */
export function isRead(span: StoredSpan): boolean {
  if (isDatabaseSpan(span)) return describe(statementOf(span)).kind === 'read'
  const method = span.attributes['http.request.method'] ?? span.attributes['http.method']
  return method === 'GET' || method === 'HEAD'
}

/** File, function and line that the agent recorded at the call; the fingerprint takes file and function only. */
export function callSiteOf(span: StoredSpan): { function?: string; file?: string; line?: number } {
  const name = span.attributes['code.function.name']
  const file = span.attributes['code.file.path']
  const line = Number.parseInt(span.attributes['code.line.number'] ?? '', 10)
  return {
    ...(name !== undefined && { function: name }),
    ...(file !== undefined && { file }),
    ...(Number.isFinite(line) && { line }),
  }
}
