// An OTLP endpoint that counts spans without decoding more than it must, so that it costs little on the core that it shares.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

let spans = 0
let bytes = 0

const server = createServer((request, response) => {
  if (request.method === 'GET') {
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
    if (request.url === '/v1/traces') {
      spans += countSpans(request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw)
    }
    response.setHeader('content-type', 'application/x-protobuf')
    response.end()
  })
})

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

server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }))
})
process.on('SIGTERM', () => process.exit(0))
