import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { decodeRpcStatus, encodeTraces, encodeTracesJson } from '@hotspan/otlp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Collector, createCollector } from '../collector.ts'
import { traceById } from '../queries/trace-by-id.ts'
import { hex, madeSpan, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'

const protobuf = 'application/x-protobuf'
const json = 'application/json'
let nextTrace = 1

function oneTrace(spans = 3) {
  const traceId = hex(nextTrace++, 32)
  const list = Array.from({ length: spans }, (_, i) =>
    madeSpan(Date.now(), { traceId, spanId: hex(i + 1, 16) }),
  )
  return { traceId, data: tracesOf('receiver', list) }
}

describe.skipIf(missingEngine() !== null)('receiver', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-test-'))
  let collector: Collector

  beforeAll(async () => {
    collector = await createCollector({
      dataDir,
      otlpHttpPort: 0,
      pagePort: 0,
      allowedOrigins: ['https://shop.example'],
      // A body below has spans of 2020.
      retentionDays: 0,
    })
  })

  afterAll(async () => {
    await collector.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  const post = async (
    body: Uint8Array | string,
    headers: Record<string, string> = {},
    path = '/v1/traces',
  ): Promise<{ status: number; headers: Headers; body: Buffer }> => {
    const answer = await fetch(collector.otlpUrl + path, {
      method: 'POST',
      body: typeof body === 'string' ? body : Buffer.from(body),
      headers: { 'content-type': protobuf, ...headers },
    })
    return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) }
  }

  test('full success leaves partial_success unset and answers in the type of the request', async () => {
    const inProtobuf = await post(encodeTraces(oneTrace().data))
    expect(inProtobuf.status).toBe(200)
    expect(inProtobuf.headers.get('content-type')).toBe(protobuf)
    expect(inProtobuf.body).toHaveLength(0)
    const inJson = await post(encodeTracesJson(oneTrace().data), { 'content-type': `${json}; charset=utf-8` })
    expect(inJson.status).toBe(200)
    expect(inJson.headers.get('content-type')).toBe(json)
    expect(inJson.body.toString()).toBe('{}')
  })

  test('an empty request is a success, in both encodings', async () => {
    expect((await post(new Uint8Array(0))).status).toBe(200)
    expect((await post('{}', { 'content-type': json })).status).toBe(200)
  })

  const codings: [string, (bytes: Uint8Array) => Buffer][] = [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['zlib', deflateSync],
    ['zstd', zstdCompressSync],
    ['identity', (bytes) => Buffer.from(bytes)],
  ]
  test.each(codings)('%s is undone, small and large', async (name, compress) => {
    for (const spans of [3, 9000]) {
      const { traceId, data } = oneTrace(spans)
      // Random names, so that the large one stays large when compressed.
      const varied = data.resourceSpans[0]!.scopeSpans[0]!.spans.map((span) => ({
        ...span,
        name: randomBytes(30).toString('hex'),
      }))
      const body = encodeTraces(tracesOf('receiver', varied))
      expect((await post(compress(body), { 'content-encoding': name })).status).toBe(200)
      await collector.flush()
      expect(await traceById(collector.store, traceId)).toHaveLength(spans)
    }
  })

  test('garbage: random bytes, cut and changed bodies, wrong types get a Status and nothing else', async () => {
    const good = encodeTraces(oneTrace(20).data)
    const bodies: [Uint8Array | string, string][] = []
    for (let i = 0; i < 101; i++) bodies.push([randomBytes(1 + i * 7), protobuf])
    for (let i = 1; i < good.length; i += 41) bodies.push([good.subarray(0, i), protobuf])
    const text = encodeTracesJson(oneTrace(3).data)
    for (let i = 1; i < text.length; i += 29) bodies.push([text.slice(0, i), json])
    for (const wrong of [
      '[]',
      '7',
      'null',
      '"x"',
      '{"resourceSpans":7}',
      '{"resourceSpans":[7]}',
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"zz"}]}]}]}',
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"AAAAAAAAAAAAAAAAAAAAAA=="}]}]}]}',
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":-1}]}]}]}',
      `${'['.repeat(100_000)}`,
      `{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":${'{"arrayValue":{"values":['.repeat(500)}`,
    ]) {
      bodies.push([wrong, json])
    }
    const statuses = new Map<number, number>()
    for (const [body, type] of bodies) {
      const answer = await post(body, { 'content-type': type })
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      if (answer.status === 200) continue
      expect(answer.status).toBe(400)
      expect(answer.headers.get('content-type')).toBe(type)
      const status = type === json ? JSON.parse(answer.body.toString()) : decodeRpcStatus(answer.body)
      expect(status).toMatchObject({ code: 3, message: expect.stringMatching(/./) })
    }
    // A cut between two fields of the outer message is a whole, shorter message; most of these are not.
    expect(statuses.get(400)!).toBeGreaterThan(bodies.length / 2)
    expect((await post(encodeTraces(oneTrace().data))).status).toBe(200)
  })

  test('damaged compression is bad data, an unknown coding is named', async () => {
    for (const name of ['gzip', 'deflate', 'zstd']) {
      expect((await post(randomBytes(100), { 'content-encoding': name })).status).toBe(400)
    }
    const brotli = await post('x', { 'content-encoding': 'br', 'content-type': json })
    expect(brotli.status).toBe(415)
    expect(JSON.parse(brotli.body.toString()).message).toContain('gzip, deflate, zstd')
  })

  test('a sender that asks first is told to go on, or at once that the body is too large', async () => {
    const ask = (headers: Record<string, string | number>, body: Buffer) =>
      new Promise<{ status: number | undefined; continued: boolean }>((resolve, reject) => {
        let continued = false
        const asking = request(`${collector.otlpUrl}/v1/traces`, {
          method: 'POST',
          headers: { 'content-type': protobuf, expect: '100-continue', ...headers },
        })
        asking.on('continue', () => {
          continued = true
          asking.end(body)
        })
        asking.on('response', (answer) => {
          answer.resume()
          resolve({ status: answer.statusCode, continued })
          asking.destroy()
        })
        asking.on('error', reject)
        asking.flushHeaders()
      })
    const body = encodeTraces(oneTrace().data)
    const accepted = { status: 200, continued: true }
    expect(await ask({ 'content-length': body.length }, Buffer.from(body))).toEqual(accepted)
    expect(await ask({ 'transfer-encoding': 'chunked' }, Buffer.from(body))).toEqual(accepted)
    const refused = { status: 413, continued: false }
    expect(await ask({ 'content-length': 100 * 1024 * 1024 }, Buffer.alloc(0))).toEqual(refused)
  })

  test('bodies over 64 MiB, as they come or inflated, are 413, and memory stays bounded', {
    timeout: 60_000,
  }, async () => {
    const before = process.memoryUsage().rss
    expect((await post(Buffer.alloc(100 * 1024 * 1024))).status).toBe(413)
    const bomb = Buffer.alloc(160 * 1024 * 1024)
    const bombs: [string, Buffer][] = [
      ['gzip', gzipSync(bomb)],
      ['deflate', deflateSync(bomb)],
      ['zstd', zstdCompressSync(bomb)],
    ]
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) => post(bombs[i % 3]![1], { 'content-encoding': bombs[i % 3]![0] })),
    )
    expect(answers.map((answer) => answer.status)).toEqual(Array(12).fill(413))
    expect(decodeRpcStatus(answers[0]!.body).message).toContain('67108864')
    // The bombs themselves, made in this process, are 160 MiB.
    expect(process.memoryUsage().rss - before).toBeLessThan(1200 * 1024 * 1024)
    expect((await post(encodeTraces(oneTrace().data))).status).toBe(200)
  })

  test('a large resource over very many spans is 413: its rows would be terabytes', {
    timeout: 60_000,
  }, async () => {
    const { data } = oneTrace(2000)
    const { resource, ...rest } = data.resourceSpans[0]!
    const attributes = [...resource.attributes, { key: 'big', value: 'x'.repeat(1024 * 1024) }]
    const big = { resourceSpans: [{ ...rest, resource: { ...resource, attributes } }] }
    expect((await post(encodeTraces(big))).status).toBe(413)
    expect((await post(encodeTracesJson(big), { 'content-type': json })).status).toBe(413)
    expect((await post(encodeTraces(oneTrace().data))).status).toBe(200)
  })

  test('a body without a length that never ends is cut at the limit', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const sending = request(`${collector.otlpUrl}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': protobuf, 'transfer-encoding': 'chunked' },
      })
      let sent = 0
      const chunk = Buffer.alloc(1024 * 1024)
      const more = () => {
        if (sent++ >= 80) sending.end()
        else sending.write(chunk, more)
      }
      sending.once('response', (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      })
      sending.once('error', reject)
      more()
    })
    expect(status).toBe(413)
  })

  test('paths, methods and types: 404, 405, 415, each with a Status', async () => {
    expect((await post('x', {}, '/v1/trace')).status).toBe(404)
    expect((await post('x', {}, '/v1/traces/')).status).toBe(404)
    const get = await fetch(`${collector.otlpUrl}/v1/traces`)
    expect(get.status).toBe(405)
    expect(get.headers.get('allow')).toBe('POST, OPTIONS')
    expect(await get.json()).toMatchObject({ message: expect.stringContaining('POST') })
    const wrongType = await post('<xml/>', { 'content-type': 'application/xml' })
    expect(wrongType.status).toBe(415)
    expect(JSON.parse(wrongType.body.toString())).toMatchObject({ code: 3 })
  })

  test('CORS: pages of this machine and named ones may send, others may not', async () => {
    const preflight = (origin: string) =>
      fetch(`${collector.otlpUrl}/v1/traces`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type,x-a',
        },
      })
    for (const origin of [
      'http://localhost:5173',
      'http://127.0.0.1',
      'http://app.localhost:80',
      'https://shop.example',
    ]) {
      const answer = await preflight(origin)
      expect(answer.status).toBe(204)
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
      expect(answer.headers.get('access-control-allow-credentials')).toBe('true')
      expect(answer.headers.get('access-control-allow-headers')).toBe('content-type,x-a')
      const sent = await post('{}', { origin, 'content-type': 'text/plain' })
      expect(sent.status).toBe(200)
      expect(sent.headers.get('access-control-allow-origin')).toBe(origin)
      expect(sent.headers.get('cache-control')).toBeNull()
    }
    for (const origin of [
      'https://evil.example',
      'http://localhost.evil.example',
      'http://127.0.0.1.evil.example',
      'null',
    ]) {
      expect((await preflight(origin)).headers.get('access-control-allow-origin')).toBeNull()
      expect((await post('{}', { origin, 'content-type': 'text/plain' })).status).toBe(403)
    }
  })

  test('a body that comes again is acknowledged and stored once; so is a chunk by its id', async () => {
    const { traceId, data } = oneTrace(5)
    const before = collector.stats().duplicates
    const body = encodeTraces(data)
    // At the same time, one after another, and in another coding.
    const answers = await Promise.all([post(body), post(body), post(body)])
    answers.push(await post(body), await post(gzipSync(body), { 'content-encoding': 'gzip' }))
    expect(answers.map((answer) => answer.status)).toEqual(Array(5).fill(200))
    const chunked = oneTrace(2)
    const other = oneTrace(2)
    const path = '/v1/traces?chunk=00ff00ff00ff00ff'
    expect((await post(encodeTracesJson(chunked.data), { 'content-type': 'text/plain' }, path)).status).toBe(
      200,
    )
    expect((await post(encodeTracesJson(other.data), { 'content-type': json }, path)).status).toBe(200)
    expect(collector.stats().duplicates - before).toBe(5)
    await collector.flush()
    const rows = async (id: string) => {
      const answer = await collector.store.client.query({
        query: 'SELECT count() AS n FROM otel_traces WHERE TraceId = {id:String}',
        query_params: { id },
        format: 'JSONEachRow',
      })
      return Number((await answer.json<{ n: string }>())[0]!.n)
    }
    expect(await rows(traceId)).toBe(5)
    expect(await rows(chunked.traceId)).toBe(2)
    expect(await rows(other.traceId)).toBe(0)
  })

  test('broken HTTP and senders that go away do no harm', async () => {
    const { port } = new URL(collector.otlpUrl)
    for (const start of [
      '\x16\x03\x01garbage\r\n\r\n',
      'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 5000\r\n\r\nabc',
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port), '127.0.0.1', () => {
          socket.write(start, () => socket.destroy())
        })
        socket.once('close', () => resolve())
        socket.once('error', () => undefined)
      })
    }
    await expect.poll(() => collector.stats().rejected.aborted ?? 0).toBeGreaterThan(0)
    expect((await post(encodeTraces(oneTrace().data))).status).toBe(200)
  })

  test('spans of 100 days in one body are stored, those of further days refused', {
    timeout: 60_000,
  }, async () => {
    const traceId = hex(nextTrace++, 32)
    const spans = Array.from({ length: 307 }, (_, i) =>
      madeSpan(Date.UTC(2020, 0, 1) + (i >> 1) * 86_400_000, { traceId, spanId: hex(i + 1, 16) }),
    )
    const answer = await post(encodeTraces(tracesOf('receiver', spans)))
    expect(answer.status).toBe(200)
    expect(answer.body.toString()).toContain(
      'spans that cannot be stored: 107 with a day beyond the 100 days of one body',
    )
    await collector.flush()
    expect(await traceById(collector.store, traceId)).toHaveLength(200)
    expect(collector.stats().quarantinedRows).toBe(0)
  })

  test('a key in the address that nobody knows is 401 on this machine too, and says so', async () => {
    const answer = await post('{}', { origin: 'https://elsewhere.example' }, '/k/nope/v1/traces')
    expect(answer.status).toBe(401)
    expect(answer.body.toString()).toContain('browser key "nope"')
  })

  test('bodies of one length with the same ids and times are two when anything else differs', async () => {
    const traceId = hex(nextTrace++, 32)
    const span = madeSpan(Date.now(), { traceId, spanId: hex(1, 16), name: 'GET /a' })
    const before = collector.stats()
    for (const [service, name] of [
      ['alpha', 'GET /a'],
      ['omega', 'GET /a'],
      ['alpha', 'GET /b'],
      ['omega', 'GET /a'],
    ] as const)
      expect((await post(encodeTraces(tracesOf(service, [{ ...span, name }])))).status).toBe(200)
    await collector.flush()
    const after = collector.stats()
    expect(after.duplicates - before.duplicates).toBe(1)
    expect(after.receivedSpans - before.receivedSpans).toBe(3)
    const stored = await collector.store.client.query({
      query: `SELECT ServiceName AS service, SpanName AS name FROM otel_traces WHERE TraceId = '${traceId}' ORDER BY ALL`,
      format: 'JSONEachRow',
    })
    expect(await stored.json()).toEqual([
      { service: 'alpha', name: 'GET /a' },
      { service: 'alpha', name: 'GET /b' },
      { service: 'omega', name: 'GET /a' },
    ])
  })

  test('the page answers with status and traces, to this machine only', async () => {
    const { traceId, data } = oneTrace(4)
    await post(encodeTraces(data))
    await collector.flush()
    const trace = await (await fetch(`${collector.pageUrl}/api/v1/traces/${traceId}`)).json()
    expect(trace).toMatchObject({ schemaVersion: 1, traceId, spans: { length: 4 } })
    expect(await (await fetch(`${collector.pageUrl}/api/v1/status`)).json()).toMatchObject({
      stats: { quarantinedRows: 0 },
    })
    expect((await fetch(`${collector.pageUrl}/api/v1/traces/xyz`)).status).toBe(400)
    expect((await fetch(`${collector.pageUrl}/nothing`)).status).toBe(404)
    // What a browser shows is a page.
    for (const path of ['/nothing?<b>', '/api/v1/traces/<b>']) {
      const shown = await fetch(`${collector.pageUrl}${path}`, { headers: { accept: 'text/html,*/*;q=0.8' } })
      expect(shown.headers.get('content-type')).toContain('text/html')
      expect(await shown.text()).not.toContain('<b>')
    }
    expect((await fetch(`${collector.pageUrl}/api/v1/status`, { method: 'POST' })).status).toBe(405)
    expect(
      (await fetch(`${collector.pageUrl}/api/v1/status`, { headers: { origin: 'https://evil.example' } }))
        .status,
    ).toBe(403)
    const rebound = await new Promise<number>((resolve, reject) => {
      request(`${collector.pageUrl}/api/v1/status`, { headers: { host: 'evil.example' } }, (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      })
        .once('error', reject)
        .end()
    })
    expect(rebound).toBe(403)
  })
})
