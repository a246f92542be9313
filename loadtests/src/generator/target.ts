import { isIP } from 'node:net'
import { badOption } from '../errors.ts'

/** Loopback by its literal form; names other than `localhost` are not looked up, since an answer may change between look and load. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  if (host === 'localhost' || host.endsWith('.localhost')) return true
  if (isIP(host) === 4) return host.startsWith('127.')
  return isIP(host) === 6 && (host === '::1' || host.startsWith('::ffff:7f'))
}

/** The origin that load is sent to, and a path prefix without a slash at its end. */
export function loadTarget(url: string, allowRemote: boolean): { origin: string; prefix: string } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !/^https?:$/.test(parsed.protocol))
    throw badOption('url', url, 'an http:// or https:// address')
  if (!allowRemote && !isLoopback(parsed.hostname)) {
    throw badOption(
      'url',
      url,
      'an address of this machine; --allow-remote (allowRemote in code) puts load on another one',
    )
  }
  return { origin: parsed.origin, prefix: parsed.pathname.replace(/\/+$/, '') }
}
