import { attr } from '@hotspan/otlp'
import { encodeKey } from '../encode/attribute-key.ts'
import { BoundedCache } from '../encode/bounded-cache.ts'
import { captureAttributes, textAttribute } from '../encode/captured-attributes.ts'
import type { SpanEncoder } from '../encode/span-encoder.ts'

/** HTTP attribute keys, encoded once, and the values of few different forms. */
export const key = {
  method: encodeKey(attr.httpRequestMethod),
  methodOriginal: encodeKey(attr.httpRequestMethodOriginal),
  statusCode: encodeKey(attr.httpResponseStatusCode),
  route: encodeKey(attr.httpRoute),
  urlFull: encodeKey(attr.urlFull),
  urlScheme: encodeKey(attr.urlScheme),
  urlPath: encodeKey(attr.urlPath),
  urlQuery: encodeKey(attr.urlQuery),
  serverAddress: encodeKey(attr.serverAddress),
  serverPort: encodeKey(attr.serverPort),
  clientAddress: encodeKey(attr.clientAddress),
  peerAddress: encodeKey(attr.networkPeerAddress),
  peerPort: encodeKey(attr.networkPeerPort),
  protocolVersion: encodeKey(attr.networkProtocolVersion),
  userAgent: encodeKey(attr.userAgentOriginal),
  errorType: encodeKey(attr.errorType),
}

const METHODS = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'QUERY',
  'TRACE',
])

/** Name of a span without a route: the method, or `HTTP` for one that is not of the standards. */
export const methodName = (method: string): string => (METHODS.has(method) ? method : 'HTTP')

const methods = new BoundedCache<Uint8Array>()

/** `http.request.method`, and the original when it is none of the standards'. */
export function writeMethod(encoder: SpanEncoder, method: string): void {
  encoder.raw(
    methods.get(method) ??
      methods.set(
        method,
        captureAttributes((capture) => {
          capture.text(key.method, METHODS.has(method) ? method : '_OTHER')
          if (!METHODS.has(method)) capture.text(key.methodOriginal, method)
        }),
      ),
  )
}

/** `errorFrom` when the error has another type than the status. */
export const NO_ERROR = 1000

/** By status, at index `errorFrom / 100`: no text is built to look one up. */
const statuses: Uint8Array[][] = []

/** `http.response.status_code`, and `error.type` when it is an error on this side (500 for servers, 400 for clients). */
export function writeStatus(encoder: SpanEncoder, status: number, errorFrom: number): void {
  const row = statuses[errorFrom / 100] ?? []
  statuses[errorFrom / 100] = row
  const at = status >= 100 && status < 1000 ? status : 0
  let encoded = row[at]
  if (encoded === undefined || at === 0) {
    encoded = captureAttributes((capture) => {
      capture.int(key.statusCode, status)
      if (status >= errorFrom) capture.text(key.errorType, String(status))
    })
    row[at] = encoded
  }
  encoder.raw(encoded)
}

const hosts = { plain: new BoundedCache<Uint8Array>(), secure: new BoundedCache<Uint8Array>() }

/** `server.address` and `server.port` of a Host header or an origin's host. */
export function writeServer(encoder: SpanEncoder, host: string, secure: boolean): void {
  const cache = secure ? hosts.secure : hosts.plain
  encoder.raw(
    cache.get(host) ??
      cache.set(
        host,
        captureAttributes((capture) => {
          const { address, port } = splitHost(host, secure ? 443 : 80)
          capture.text(key.serverAddress, address)
          capture.int(key.serverPort, port)
        }),
      ),
  )
}

/** Host and port of `name:port`, `[v6]:port` or a bare name. */
export function splitHost(host: string, defaultPort: number): { address: string; port: number } {
  const closing = host.lastIndexOf(']')
  const colon = host.lastIndexOf(':')
  if (colon <= closing) return { address: host.replace(/^\[|\]$/g, ''), port: defaultPort }
  const port = Number(host.slice(colon + 1))
  return { address: host.slice(0, colon).replace(/^\[|\]$/g, ''), port: port > 0 ? port : defaultPort }
}

const fewValues = {
  urlScheme: new BoundedCache<Uint8Array>(),
  protocolVersion: new BoundedCache<Uint8Array>(),
  userAgent: new BoundedCache<Uint8Array>(),
  route: new BoundedCache<Uint8Array>(),
  peerAddress: new BoundedCache<Uint8Array>(),
}

/** A text attribute with few different values, remembered whole. */
export function writeFewValues(encoder: SpanEncoder, name: keyof typeof fewValues, value: string): void {
  const cache = fewValues[name]
  encoder.raw(cache.get(value) ?? cache.set(value, textAttribute(key[name], value)))
}

/** Query string with every value replaced: names tell what was asked, values are personal. */
export function scrubQuery(query: string): string {
  let scrubbed = ''
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=')
    if (scrubbed !== '') scrubbed += '&'
    scrubbed += equals < 0 ? pair : `${pair.slice(0, equals)}=REDACTED`
  }
  return scrubbed
}
