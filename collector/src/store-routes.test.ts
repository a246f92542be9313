import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import {
  decodeTraces,
  encodeTraces,
  encodeTracesJson,
  type KeyValue,
  type Span,
  type TracesData,
} from '@hotspan/otlp'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createCollector } from './collector.ts'
import { Engine } from './engine/engine.ts'
import { traceById } from './queries/trace-by-id.ts'
import { RowTable, rowLayout } from './schema/row-layout.ts'
import { openStore } from './store.ts'
import { hex, madeSpan, text, tracesOf } from './test-support/made-spans.ts'
import { missingEngine } from './test-support/require-engine.ts'
import { temporaryDirectory } from './test-support/temporary-directory.ts'
import { spanRowsFromObjects } from './transcode/spans-from-objects.ts'

/** 500 spans with whatever the generator thinks of: every kind of value, events, links, odd text. */
function variedTraces(seed: number): TracesData {
  const odd = fc.string({ unit: 'grapheme', maxLength: 30 })
  const value = fc.oneof(
    odd,
    fc.boolean(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.uint8Array({ maxLength: 9 }),
    fc.array(fc.oneof(odd, fc.boolean()), { maxLength: 3 }),
    fc.record({ kvlist: fc.array(fc.record({ key: odd, value: odd }), { maxLength: 3 }) }),
  )
  const attributes: fc.Arbitrary<KeyValue[]> = fc.array(
    fc.record({
      key: fc.oneof(odd, fc.constantFrom('http.route', 'db.query.text', 'http.status_code', 'db.system')),
      value,
    }),
    { maxLength: 12 },
  )
  const span = fc.record({
    name: odd,
    kind: fc.constantFrom(0, 1, 2, 3, 4, 5),
    attributes,
    startMs: fc.nat(3_600_000),
    durationMs: fc.nat(5000),
    traceState: fc.constantFrom('', 'ot=th:8', 'a=b,ot=rv:00000000000000;th:c', 'ot=th:zz'),
    events: fc.array(
      fc.record({ name: odd, attributes, timeUnixNano: fc.bigInt({ min: 0n, max: 10n ** 18n }) }),
      { maxLength: 3 },
    ),
    links: fc.array(fc.record({ attributes, traceState: odd }), { maxLength: 2 }),
    status: fc.record({ code: fc.constantFrom(0, 1, 2), message: odd }),
  })
  const parts = fc.sample(span, { numRuns: 500, seed })
  const spans = parts.map(
    ({ events, links, ...rest }, i): Span => ({
      ...madeSpan(Math.floor(Date.now() / 86_400_000 - 1) * 86_400_000, {
        ...rest,
        kind: rest.kind as Span['kind'],
        status: rest.status as Span['status'],
        traceId: hex(seed * 1000 + i, 32),
        spanId: hex(i + 1, 16),
      }),
      events: events.map((event) => ({ ...event, droppedAttributesCount: 0 })),
      links: links.map((link) => ({
        ...link,
        traceId: hex(7, 32),
        spanId: hex(8, 16),
        droppedAttributesCount: 0,
        flags: 0,
      })),
    }),
  )
  return tracesOf('varied', spans)
}

describe.skipIf(missingEngine() !== null)('routes into the store', () => {
  test('protobuf by the transcoder and JSON by objects give equal rows, every column compared', {
    timeout: 60_000,
  }, async () => {
    const collector = await createCollector({
      dataDir: temporaryDirectory(),
      otlpHttpPort: 0,
      pagePort: 0,
      retentionDays: 0,
    })
    onTestFinished(() => collector.close())
    const data = variedTraces(1789)
    const post = (body: string | Uint8Array, type: string) =>
      fetch(`${collector.otlpUrl}/v1/traces`, {
        method: 'POST',
        body: typeof body === 'string' ? body : Buffer.from(body),
        headers: { 'content-type': type },
      })
    const hashes = async () => {
      const hot = 'HttpRoute, HttpStatusCode, DbSystem, DbStatement, SampleWeight, WeightKnown'
      const columns = rowLayout(1, RowTable.Traces)!
        .columns.map((name) => `\`${name}\``)
        .join(', ')
      const each = `${columns}, ${hot}`
        .split(', ')
        .map(
          (name) =>
            `sum(cityHash64(${name})) AS ${name.startsWith('`') ? `\`h_${name.slice(1)}` : `h_${name}`}`,
        )
      const answer = await collector.store.client.query({
        query: `SELECT count() AS n, ${each.join(', ')} FROM otel_traces`,
        format: 'JSONEachRow',
      })
      return (await answer.json<Record<string, string>>())[0]!
    }
    expect((await post(encodeTraces(data), 'application/x-protobuf')).status).toBe(200)
    await collector.flush()
    const byTranscoder = await hashes()
    await collector.store.client.command({ query: 'TRUNCATE TABLE otel_traces' })
    expect((await post(encodeTracesJson(data), 'application/json')).status).toBe(200)
    await collector.flush()
    expect(await hashes()).toEqual(byTranscoder)
    expect(byTranscoder.n).toBe('500')
    expect(spanRowsFromObjects(decodeTraces(encodeTraces(data))).rows).toBe(500)
  })

  test('the hot columns hold what the dialects mean, and the sampling weight', {
    timeout: 60_000,
  }, async () => {
    const collector = await createCollector({
      dataDir: temporaryDirectory(),
      otlpHttpPort: 0,
      pagePort: 0,
      retentionDays: 0,
    })
    onTestFinished(() => collector.close())
    const states = [
      '',
      'ot=th:8',
      'ot=th:c',
      'x=y, ot=rv:abcdef12345678;th:8 ',
      'ot=th:0',
      'ot=th:8zz',
      'oot=th:8',
      'ot=p:8',
    ]
    const old = [
      text('http.method', 'GET'),
      text('http.status_code', '503'),
      text('db.system', 'mssql'),
      text('db.statement', 'SELECT 7'),
    ]
    const spans = states.map((traceState, i) =>
      madeSpan(Date.now(), {
        traceId: hex(1, 32),
        spanId: hex(i + 1, 16),
        startMs: i,
        traceState,
        attributes: old,
      }),
    )
    await fetch(`${collector.otlpUrl}/v1/traces`, {
      method: 'POST',
      body: Buffer.from(encodeTraces(tracesOf('hot', spans))),
      headers: { 'content-type': 'application/x-protobuf' },
    })
    await collector.flush()
    const stored = await traceById(collector.store, hex(1, 32))
    expect(stored.map((span) => [span.weight, span.weightKnown])).toEqual([
      [1, false],
      [2, true],
      [4, true],
      [2, true],
      [1, true],
      [1, false],
      [1, false],
      [1, false],
    ])
    const answer = await collector.store.client.query({
      query: 'SELECT DISTINCT HttpMethod, HttpStatusCode, DbSystem, DbStatement FROM otel_traces',
      format: 'JSONEachRow',
    })
    expect(await answer.json()).toEqual([
      { HttpMethod: 'GET', HttpStatusCode: 503, DbSystem: 'microsoft.sql_server', DbStatement: 'SELECT ?' },
    ])
  })

  test('HOTSPAN_CLICKHOUSE_URL: the collector and the queries use that server', {
    timeout: 60_000,
  }, async () => {
    // The engine's HTTP interface behind a TCP port stands for the server: the client and the URL are the real ones.
    const engine = await Engine.start({ storeDir: join(temporaryDirectory(), 'store') })
    const proxy = createServer((socket) => {
      const upstream = connect(engine.socketPath)
      socket.pipe(upstream).pipe(socket)
      socket.on('error', () => upstream.destroy())
      upstream.on('error', () => socket.destroy())
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    onTestFinished(async () => {
      vi.unstubAllEnvs()
      proxy.close()
      await engine.close()
    })
    vi.stubEnv('HOTSPAN_CLICKHOUSE_URL', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
    const dataDir = temporaryDirectory()
    const collector = await createCollector({ dataDir, otlpHttpPort: 0, pagePort: 0, retentionDays: 0 })
    expect(collector.store.mode).toBe('server')
    const spans = [madeSpan(Date.now(), { traceId: hex(5, 32), spanId: hex(1, 16) })]
    const sent = await fetch(`${collector.otlpUrl}/v1/traces`, {
      method: 'POST',
      body: Buffer.from(encodeTraces(tracesOf('server', spans))),
      headers: { 'content-type': 'application/x-protobuf' },
    })
    expect(sent.status).toBe(200)
    await collector.flush()
    const store = await openStore({ dataDir })
    expect(await traceById(store, hex(5, 32))).toHaveLength(1)
    await store.close()
    await collector.close()
    vi.stubEnv('HOTSPAN_CLICKHOUSE_URL', 'http://user:secret@127.0.0.1:1')
    const failure = await openStore({ dataDir }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'HS_STORE_UNREACHABLE' })
    expect(String(failure)).not.toContain('secret')
  })
})
