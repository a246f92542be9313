import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { TlsFiles } from '../access/tls.ts'
import { messageOf } from '../errors.ts'
import { namesThisMachine } from '../listening.ts'
import { matchPath, type Route, type RouteResponse } from './routes.ts'

export interface PageListenerOptions {
  readonly routes: readonly Route[]
  readonly token: string
  /** Bound to loopback: the token is not asked for, but other host names are refused (DNS rebinding). */
  readonly loopback: boolean
  /** Served over HTTPS when given. */
  readonly tls: TlsFiles | null
  readonly onEvent: (event: string) => void
}

const maxBodyBytes = 4 * 1024 * 1024
/** A refused body is read to its end and dropped up to so many times its limit, so that the sender gets the answer and not a reset. */
const drainFactor = 16

class Refusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** The private page and API. It never shares a listener with the public intake. */
export function createPageListener(options: PageListenerOptions): Server {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    handle(options, request, response).catch((error: unknown) => {
      const status = error instanceof Refusal ? error.status : 500
      if (status === 500) options.onEvent(`page: ${error instanceof Error ? error.stack : messageOf(error)}`)
      if (response.headersSent) response.destroy()
      else if (wantsPage(request)) sendRefusalPage(response, status, messageOf(error))
      else sendJson(response, status, { error: { message: messageOf(error) } })
    })
  }
  return options.tls === null ? createServer(answer) : createTlsServer(options.tls, answer)
}

async function handle(
  options: PageListenerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://page')
  if (options.loopback && !namesThisMachine(request.headers.host)) {
    throw new Refusal(403, 'this host name is not one of this machine')
  }
  const { origin } = request.headers
  const scheme = options.tls === null ? 'http' : 'https'
  if (origin !== undefined && origin !== `${scheme}://${request.headers.host}`) {
    throw new Refusal(403, 'pages of other origins may not ask here')
  }
  if (!options.loopback && !tokenFits(request, url, options.token)) {
    response.setHeader('WWW-Authenticate', 'Bearer')
    throw new Refusal(
      401,
      'a token is needed: Authorization: Bearer <token>; it is in owner.json of the data directory',
    )
  }
  const method = request.method === 'HEAD' ? 'GET' : request.method
  let pathFits = false
  for (const route of options.routes) {
    const params = matchPath(route.path, url.pathname)
    if (params === null) continue
    pathFits = true
    if (route.method !== method) continue
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const body = await bodyOf(request, route.maxBodyBytes ?? maxBodyBytes)
    const result = await route.handle({
      method: route.method,
      path: url.pathname,
      params,
      query: url.searchParams,
      body,
      signal: gone.signal,
    })
    if (response.destroyed) return
    if ((result.status ?? 200) >= 400 && wantsPage(request)) {
      const message = failureOf(result)
      if (message !== null) {
        sendRefusalPage(response, result.status ?? 500, message)
        return
      }
    }
    const plain = typeof result.body === 'string' || result.body instanceof Uint8Array
    const bytes = plain
      ? Buffer.from(result.body as string)
      : Buffer.from(JSON.stringify(result.body, bigintAsText))
    response.writeHead(result.status ?? 200, {
      'Content-Type': plain ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8',
      'Content-Length': bytes.length,
      'X-Content-Type-Options': 'nosniff',
      ...result.headers,
    })
    response.end(request.method === 'HEAD' ? undefined : bytes)
    return
  }
  throw pathFits
    ? new Refusal(405, `${request.method} is not possible here`)
    : new Refusal(404, `nothing at ${url.pathname}`)
}

function tokenFits(request: IncomingMessage, url: URL, token: string): boolean {
  const given =
    /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? url.searchParams.get('token') ?? ''
  const a = Buffer.from(given)
  const b = Buffer.from(token)
  return a.length === b.length && timingSafeEqual(a, b)
}

function bodyOf(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= maxBytes) chunks.push(chunk)
      else chunks.length = 0
      if (bytes > maxBytes * drainFactor) request.destroy()
    })
    request.once('end', () => {
      if (bytes > maxBytes) reject(new Refusal(413, `the body is larger than ${maxBytes} bytes`))
      else resolve(Buffer.concat(chunks))
    })
    request.once('close', () => {
      if (!request.readableEnded) reject(new Refusal(400, 'the connection ended before the body did'))
    })
  })
}

/** Epoch nanoseconds are decimal strings in JSON. */
function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

/** A browser's address bar asks for a page; scripts do not. */
function wantsPage(request: IncomingMessage): boolean {
  return /\btext\/html\b/.test(request.headers.accept ?? '')
}

/** What `{ error: { message } }` or `{ error }` says, as an object or as JSON; null for any other answer. */
function failureOf({ body, headers }: RouteResponse): string | null {
  const isJson = /\bjson\b/.test(headers?.['Content-Type'] ?? '')
  const said: unknown = typeof body === 'string' && isJson ? JSON.parse(body) : body
  const { error } = said as { error?: string | { message?: string } | null }
  if (typeof error === 'string') return error
  return error?.message ?? null
}

function sendRefusalPage(response: ServerResponse, status: number, message: string): void {
  const said = message.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
  const bytes = Buffer.from(
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${status}</title><body style="font: 16px/1.5 system-ui; margin: 3rem auto; max-width: 40rem">
<h1>${status === 404 ? 'There is nothing here' : 'This cannot be shown'}</h1><p>${said}</p><p><a href="/">To the start</a></p></body></html>`,
  )
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': bytes.length })
  response.end(bytes)
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': bytes.length,
  })
  response.end(bytes)
}
