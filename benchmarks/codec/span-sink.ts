// An OTLP endpoint that counts the spans it receives, in a process of its own.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { decodeTraces } from '../../otlp/dist/index.js'

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
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
    bytes += raw.length
    for (const { scopeSpans } of decodeTraces(body).resourceSpans) {
      for (const scope of scopeSpans) spans += scope.spans.length
    }
    response.setHeader('content-type', 'application/x-protobuf')
    response.end()
  })
})
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }))
})
process.on('SIGTERM', () => process.exit(0))
