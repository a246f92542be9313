import { attr } from '@hotspan/otlp'
import { encodeKey } from '../encode/attribute-key.ts'
import { BoundedCache } from '../encode/bounded-cache.ts'
import { captureAttributes, type SpanEncoder, textAttribute } from '../encode/span-encoder.ts'

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

export const isKnownMethod = (method: string): boolean => METHODS.has(method)

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

const statuses = new BoundedCache<Uint8Array>()

/** `http.response.status_code`, and `error.type` when it is an error on this side (500 for servers, 400 for clients). */
export function writeStatus(encoder: SpanEncoder, status: number, errorFrom: number): void {
  const form = `${status}/${errorFrom}`
  encoder.raw(
    statuses.get(form) ??
      statuses.set(
        form,
        captureAttributes((capture) => {
          capture.int(key.statusCode, status)
          if (status >= errorFrom) capture.text(key.errorType, String(status))
        }),
      ),
  )
}

const hosts = new BoundedCache<Uint8Array>()

/** `server.address` and `server.port` of a Host header or an origin's host. */
export function writeServer(encoder: SpanEncoder, host: string, defaultPort: number): void {
  const form = `${host}|${defaultPort}`
  encoder.raw(
    hosts.get(form) ??
      hosts.set(
        form,
        captureAttributes((capture) => {
          const { address, port } = splitHost(host, defaultPort)
          capture.text(key.serverAddress, address)
          if (port > 0) capture.int(key.serverPort, port)
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

const texts = new BoundedCache<Uint8Array>(512)

/** A text attribute with few different values, remembered whole. */
export function writeFewValues(
  encoder: SpanEncoder,
  keyName: 'urlScheme' | 'protocolVersion' | 'userAgent' | 'route' | 'peerAddress',
  value: string,
): void {
  const form = `${keyName}=${value}`
  encoder.raw(texts.get(form) ?? texts.set(form, textAttribute(key[keyName], value)))
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
