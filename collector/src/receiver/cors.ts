import type { IncomingMessage, ServerResponse } from 'node:http'

const loopback = /^https?:\/\/(?:[a-z0-9-]+\.)*(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i

/** Origins that may send from a browser: pages of this machine, and those named. `*` allows any. */
export function originAllowed(origin: string, allowed: readonly string[]): boolean {
  return loopback.test(origin) || allowed.includes('*') || allowed.includes(origin)
}

/** Sets the answer's CORS headers. False when the request comes from a page that may not send. */
export function applyCors(
  request: IncomingMessage,
  response: ServerResponse,
  allowed: (origin: string) => boolean,
): boolean {
  const { origin } = request.headers
  if (origin === undefined) return true
  response.setHeader('Vary', 'Origin')
  if (!allowed(origin)) return false
  response.setHeader('Access-Control-Allow-Origin', origin)
  // `sendBeacon` sends credentials and fails without this.
  response.setHeader('Access-Control-Allow-Credentials', 'true')
  return true
}

/** Answers a preflight; an origin that is not allowed gets an answer without permission. */
export function answerPreflight(
  request: IncomingMessage,
  response: ServerResponse,
  allowed: (origin: string) => boolean,
): void {
  if (applyCors(request, response, allowed) && request.headers.origin !== undefined) {
    response.setHeader('Access-Control-Allow-Methods', 'POST, OPTIONS')
    response.setHeader(
      'Access-Control-Allow-Headers',
      request.headers['access-control-request-headers'] ?? 'content-type, content-encoding',
    )
    response.setHeader('Access-Control-Max-Age', '7200')
    if (request.headers['access-control-request-private-network'] === 'true') {
      response.setHeader('Access-Control-Allow-Private-Network', 'true')
    }
  }
  response.writeHead(204)
  response.end()
}
