import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeTraces } from '@hotspan/otlp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Collector, createCollector } from '../collector.ts'
import { hotColumns } from '../schema/hot-columns.ts'
import { hex, madeSpan, text, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { type AttributeCondition, mappedColumns } from './attribute-condition.ts'
import { attributeKeys, attributeValues } from './attribute-values.ts'
import { requestSeries } from './request-series.ts'
import { runQuery } from './run-query.ts'
import { searchSpans } from './search-spans.ts'
import { serviceGraph } from './service-graph.ts'

test('conditions that use a column of their own name one that exists', () => {
  const names = hotColumns.map(({ name }) => name)
  for (const column of mappedColumns) expect(names).toContain(column)
})

describe.skipIf(missingEngine() !== null)('search and service graph on a real store', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-test-'))
  const baseMs = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 43_200_000
  const scope = { fromMs: baseMs - 60_000, toMs: baseMs + 600_000 }
  const traces = 17
  let collector: Collector

  beforeAll(async () => {
    collector = await createCollector({ dataDir, otlpHttpPort: 0, pagePort: 0, retentionDays: 0 })
    const web = []
    const api = []
    const worker = []
    for (let t = 1; t <= traces; t++) {
      const traceId = hex(t, 32)
      const startMs = t * 10_000
      const status = t === 3 ? { code: 2 as const, message: 'gone' } : { code: 0 as const, message: '' }
      const code = text('http.response.status_code', t === 3 ? '502' : '200')
      const call = [text('server.address', 'api.local'), text('user.id', `u${t % 5}`), code]
      web.push(
        madeSpan(baseMs, {
          traceId,
          spanId: hex(1, 16),
          name: 'GET',
          kind: 3,
          startMs,
          durationMs: 50 + t,
          status,
          attributes: call,
        }),
      )
      api.push(
        madeSpan(baseMs, {
          traceId,
          spanId: hex(2, 16),
          parentSpanId: hex(1, 16),
          name: 'GET /orders/:id',
          kind: 2,
          startMs,
          durationMs: 40 + t,
          status,
          attributes: [text('http.route', '/orders/:id'), code, text("odd'key\\", "a'b\\c")],
        }),
        madeSpan(baseMs, {
          traceId,
          spanId: hex(3, 16),
          parentSpanId: hex(2, 16),
          name: 'SELECT orders',
          kind: 3,
          startMs,
          durationMs: 7,
          attributes: [
            text('db.system.name', 'postgresql'),
            text('db.namespace', 'shop'),
            text('rows', String(t)),
          ],
        }),
        madeSpan(baseMs, {
          traceId,
          spanId: hex(4, 16),
          parentSpanId: hex(2, 16),
          name: 'send jobs',
          kind: 4,
          startMs,
          durationMs: 1,
        }),
        madeSpan(baseMs, {
          traceId,
          spanId: hex(5, 16),
          parentSpanId: hex(2, 16),
          name: 'POST',
          kind: 3,
          startMs,
          durationMs: 9,
          attributes: [text('server.address', 'pay.example')],
        }),
      )
      worker.push(
        madeSpan(baseMs, {
          traceId,
          spanId: hex(6, 16),
          parentSpanId: hex(4, 16),
          name: 'work',
          kind: 5,
          startMs,
          durationMs: 30,
        }),
      )
    }
    for (const [service, spans] of [
      ['web', web],
      ['api', api],
      ['worker', worker],
      ['api', api.slice(0, 9)],
    ] as const) {
      const answer = await fetch(`${collector.otlpUrl}/v1/traces`, {
        method: 'POST',
        body: Buffer.from(encodeTraces(tracesOf(service, spans))),
        headers: { 'content-type': 'application/x-protobuf' },
      })
      expect(answer.status).toBe(200)
    }
    await collector.flush()
  })

  afterAll(async () => {
    await collector.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  const found = async (...attributes: AttributeCondition[]) =>
    (await searchSpans(collector.store, scope, { attributes })).length

  test('every kind of condition, each span once', async () => {
    expect(await found({ key: 'http.route', is: '=', value: '/orders/:id' })).toBe(traces)
    expect(await found({ key: 'http.response.status_code', is: '=', value: '502' })).toBe(2)
    expect(await found({ key: 'http.response.status_code', is: '>', value: '499' })).toBe(2)
    expect(await found({ key: 'rows', is: '>', value: '9' })).toBe(8)
    expect(await found({ key: 'rows', is: '<', value: '9' }, { key: 'rows', is: '!=', value: '3' })).toBe(7)
    expect(await found({ key: 'user.id', is: 'exists' })).toBe(traces)
    expect(await found({ key: 'user.id', is: 'missing' }, { key: 'rows', is: 'exists' })).toBe(traces)
    expect(await found({ key: 'server.address', is: 'contains', value: 'PAY' })).toBe(traces)
    expect(await found({ key: 'service.name', of: 'resource', is: '=', value: 'worker' })).toBe(traces)
    expect(await found({ key: 'service.name', of: 'span', is: '=', value: 'worker' })).toBe(0)
    expect(await found({ key: "odd'key\\", is: '=', value: "a'b\\c" })).toBe(traces)
    expect(await found({ key: 'x', is: '=', value: "') OR 1=1 --" })).toBe(0)
  })

  test('service, name, duration, error, order and limit', async () => {
    const slow = await searchSpans(collector.store, scope, {
      service: 'web',
      minDurationMs: 60,
      maxDurationMs: 64,
      order: 'slowest',
    })
    expect(slow.map(({ durationMs }) => durationMs)).toEqual([64, 63, 62, 61, 60])
    const [failed, ...others] = await searchSpans(collector.store, scope, { error: true, kinds: ['Server'] })
    expect(others).toEqual([])
    expect(failed).toMatchObject({
      service: 'api',
      operation: 'GET /orders/:id',
      kind: 'server',
      error: true,
      statusMessage: 'gone',
      traceId: hex(3, 32),
    })
    const newest = await searchSpans(collector.store, scope, {
      nameContains: 'ORDERS',
      operation: 'SELECT orders',
      limit: 2,
    })
    expect(newest.map(({ traceId }) => traceId)).toEqual([hex(17, 32), hex(16, 32)])
  })

  test('keys and values to search by', async () => {
    const keys = await attributeKeys(collector.store, scope, { service: 'web' })
    expect(keys).toContainEqual({ key: 'user.id', of: 'span', spans: traces })
    expect(keys).toContainEqual({ key: 'service.name', of: 'resource', spans: traces })
    const values = await attributeValues(collector.store, scope, {
      key: 'user.id',
      of: 'span',
      startsWith: 'u',
    })
    expect(values.slice(0, 2)).toEqual([
      { value: 'u1', spans: 4 },
      { value: 'u2', spans: 4 },
    ])
    expect(values).toHaveLength(5)
  })

  test('the graph names services, queues, databases and what sends no spans', async () => {
    const edges = await serviceGraph(collector.store, scope)
    const named = edges.map(({ from, to, kind, spans, errors }) => ({ from, to, kind, spans, errors }))
    expect(named).toHaveLength(4)
    expect(named).toContainEqual({ from: 'web', to: 'api', kind: 'service', spans: traces, errors: 1 })
    expect(named).toContainEqual({ from: 'api', to: 'worker', kind: 'messaging', spans: traces, errors: 0 })
    expect(named).toContainEqual({
      from: 'api',
      to: 'postgresql shop',
      kind: 'database',
      spans: traces,
      errors: 0,
    })
    expect(named).toContainEqual({
      from: 'api',
      to: 'pay.example',
      kind: 'external',
      spans: traces,
      errors: 0,
    })
    expect(edges.find(({ to }) => to === 'api')!.p50Ms).toBeCloseTo(59, 0)
  })

  test('requests over time, by step', async () => {
    const points = await requestSeries(collector.store, scope, { service: 'api' })
    expect(points.map(({ atMs, requests }) => [atMs - baseMs, requests])).toEqual([
      [0, 5],
      [60_000, 6],
      [120_000, 6],
    ])
    expect(points[0]!.errors).toBe(1)
    const wide = { fromMs: 0, toMs: baseMs + 600_000 }
    expect((await requestSeries(collector.store, wide, { service: 'api', stepSec: 1 })).length).toBe(1)
  })

  test('a query is bounded in memory, rows and time, and ended when its asker goes away', async () => {
    const { store } = collector
    const many = 'SELECT number AS n FROM numbers(100000)'
    await expect(runQuery(store, many, {}, { maxRows: 1000 })).rejects.toMatchObject({ code: '396' })
    const hungry = 'SELECT count() AS n FROM (SELECT number FROM numbers(3e7) GROUP BY number)'
    await expect(runQuery(store, hungry, {}, { maxMemoryBytes: 30e6 })).rejects.toMatchObject({ code: '241' })
    const endless = 'SELECT sum(sipHash64(number)) AS n FROM numbers(2000000000000)'
    await expect(runQuery(store, endless, {}, { maxSec: 1 })).rejects.toMatchObject({ code: '159' })
    const gone = new AbortController()
    const asked = runQuery(store, endless, {}, { signal: gone.signal }).catch(() => 'aborted')
    const running = () =>
      runQuery<{ n: string }>(
        store,
        `SELECT count() AS n FROM system.processes WHERE query LIKE '%sipHash64(%' AND query NOT LIKE '%processes%'`,
        {},
      )
    await expect.poll(async () => (await running())[0]!.n, { timeout: 10_000 }).toBe('1')
    gone.abort()
    expect(await asked).toBe('aborted')
    await expect.poll(async () => (await running())[0]!.n, { timeout: 10_000 }).toBe('0')
  })
})
