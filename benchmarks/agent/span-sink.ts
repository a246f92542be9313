// Where every contender sends to: counts spans without decoding more than it must, so that it costs little on the core that it
// shares. Arguments: [key certificate], which add a TLS listener, for New Relic.
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { gunzipSync, inflateSync } from 'node:zlib'

let spans = 0
let bytes = 0

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'GET' && request.url === '/') {
    response.end(JSON.stringify({ spans, bytes }))
    spans = 0
    bytes = 0
    return
  }
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const raw = Buffer.concat(chunks)
    bytes += raw.length
    const { url = '' } = request
    if (url.startsWith('/agent_listener/')) {
      response.end(JSON.stringify({ return_value: newRelic(url, decoded(request, raw)) }))
    } else if (url.includes('/traces')) {
      const body = decoded(request, raw)
      if (url === '/v1/traces') {
        spans += countSpans(body)
        response.setHeader('content-type', 'application/x-protobuf')
        response.end()
      } else {
        // Datadog: MessagePack, in which each span has this key once.
        spans += occurrences(body, '\xa7span_id')
        response.end('{"rate_by_service":{}}')
      }
    } else if (url.includes('/envelope/')) {
      spans += occurrences(decoded(request, raw), '"span_id":')
      response.end('{}')
    } else if (url === '/v1/metrics' || url === '/v1/logs') {
      response.setHeader('content-type', 'application/x-protobuf')
      response.end()
    } else {
      response.statusCode = url.startsWith('/info') || url.startsWith('/v0.') ? 404 : 200
      response.end('{}')
    }
  })
}

function decoded(request: IncomingMessage, raw: Buffer): Buffer {
  const coding = request.headers['content-encoding']
  if (coding === 'gzip') return gunzipSync(raw)
  return coding === 'deflate' ? inflateSync(raw) : raw
}

function occurrences(body: Buffer, text: string): number {
  const wanted = Buffer.from(text, 'latin1')
  let found = 0
  for (let at = body.indexOf(wanted); at >= 0; at = body.indexOf(wanted, at + wanted.length)) found++
  return found
}

/** What its collector answers to the methods that matter. */
function newRelic(url: string, body: Buffer): unknown {
  const method = new URL(url, 'http://x').searchParams.get('method')
  if (method === 'preconnect') return { redirect_host: '127.0.0.1' }
  if (method === 'connect') return { agent_run_id: 'bench', collect_traces: true, collect_span_events: true }
  if (method === 'span_event_data') spans += occurrences(body, '"type":"Span"')
  return null
}

/** Fields 1 (ResourceSpans), 2 (ScopeSpans), 2 (Span): the others are skipped by their length. */
function countSpans(body: Uint8Array): number {
  const path = [1, 2, 2]
  let at = 0
  const varint = () => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = body[at++]!
      value += (byte & 127) * shift
      if (byte < 128) return value
    }
  }
  const walk = (end: number, depth: number): number => {
    let found = 0
    while (at < end) {
      const tag = varint()
      const type = tag & 7
      if (type === 0) varint()
      else if (type === 1) at += 8
      else if (type === 5) at += 4
      else {
        const length = varint()
        const inside = at + length
        if (tag >> 3 === path[depth]) found += depth === 2 ? 1 : walk(inside, depth + 1)
        at = inside
      }
    }
    return found
  }
  return walk(body.length, 0)
}

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })

const [key, certificate] = process.argv.slice(2)
const server = createServer(answer)
const plain = await listen(server, 0)
let tlsUrl: string | undefined
if (key !== undefined && certificate !== undefined) {
  const tls = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, answer)
  tlsUrl = `https://127.0.0.1:${await listen(tls, 0)}`
}
console.log(JSON.stringify({ url: `http://127.0.0.1:${plain}`, tlsUrl, certificate }))
// An outage: from one signal to the next every connection is cut. The port stays ours, or another process might take it.
let down = false
server.on('connection', (socket) => {
  if (down) socket.destroy()
})
process.on('SIGUSR2', () => {
  down = !down
  if (down) server.closeAllConnections()
})
process.on('SIGTERM', () => process.exit(0))
