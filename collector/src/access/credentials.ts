import type { IncomingHttpHeaders } from 'node:http'

/**
 * The token of a request: `Authorization: Bearer`, the password of `Authorization: Basic`, or `X-ClickHouse-Key`. null when it
 * shows none; an empty password is none.
 */
export function tokenOf(headers: IncomingHttpHeaders): string | null {
  const { authorization } = headers
  if (authorization !== undefined) {
    const [scheme = '', value = ''] = authorization.trim().split(/\s+/, 2)
    if (scheme.toLowerCase() === 'bearer') return value
    if (scheme.toLowerCase() === 'basic') {
      const pair = Buffer.from(value, 'base64').toString('utf8')
      return pair.slice(pair.indexOf(':') + 1) || null
    }
    return authorization
  }
  const key = headers['x-clickhouse-key']
  return typeof key === 'string' && key !== '' ? key : null
}
