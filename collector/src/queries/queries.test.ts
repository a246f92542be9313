import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeTraces } from '@hotspan/otlp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Collector, createCollector } from '../collector.ts'
import { hex, madeSpan, text, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { completeTraces } from './complete-traces.ts'
import { exemplarTraces } from './exemplar-traces.ts'
import { operations, rootOperations } from './operations.ts'
import { repeatedSiblings } from './repeated-siblings.ts'
import { services } from './services.ts'
import { spansOfTraces } from './spans-of-traces.ts'
import { statements } from './statements.ts'
import { traceById } from './trace-by-id.ts'

const statement = (id: number) => [
  text('db.system.name', 'postgresql'),
  text('db.query.text', `SELECT * FROM reviews WHERE product_id = ${id}`),
  text('db.query.summary', 'SELECT reviews'),
]

describe.skipIf(missingEngine() !== null)('queries on a real store', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-test-'))
  const baseMs = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 43_200_000
  const scope = { fromMs: baseMs - 60_000, toMs: baseMs + 3_600_000 }
  const traces = 13
  let collector: Collector

  beforeAll(async () => {
    collector = await createCollector({ dataDir, otlpHttpPort: 0, pagePort: 0, retentionDays: 0 })
    const spans = []
    for (let t = 1; t <= traces; t++) {
      const traceId = hex(t, 32)
      const at = t * 20_000
      const rest = { traceId, parentSpanId: hex(1, 16) }
      spans.push(
        madeSpan(baseMs, {
          traceId,
          spanId: hex(1, 16),
          name: 'GET /products',
          startMs: at,
          durationMs: 100 + t,
          traceState: t % 2 === 0 ? 'ot=th:8' : '',
          status: t === 1 ? { code: 2, message: 'no' } : { code: 0, message: '' },
          attributes: [text('http.route', '/products'), text('http.request.method', 'GET')],
        }),
      )
      for (let q = 0; q < 7 + t; q++) {
        spans.push(
          madeSpan(baseMs, {
            ...rest,
            spanId: hex(100 + q, 16),
            name: 'SELECT reviews',
            kind: 3,
            startMs: at + 1 + q,
            durationMs: 2,
            attributes: statement(q),
          }),
        )
      }
    }
    // A trace whose parent never came.
    spans.push(
      madeSpan(baseMs, {
        traceId: hex(99, 32),
        spanId: hex(2, 16),
        parentSpanId: hex(1, 16),
        name: 'lost',
        kind: 1,
      }),
    )
    const post = (body: Uint8Array) =>
      fetch(`${collector.otlpUrl}/v1/traces`, {
        method: 'POST',
        body: Buffer.from(body),
        headers: { 'content-type': 'application/x-protobuf' },
      })
    expect((await post(encodeTraces(tracesOf('api', spans)))).status).toBe(200)
    // The same spans in another body: stored twice, and counted once.
    expect((await post(encodeTraces(tracesOf('api', spans.slice(0, 30))))).status).toBe(200)
    await collector.flush()
  })

  afterAll(async () => {
    await collector.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  test('a trace by id is whole, each span once, and found without a time range', async () => {
    const spans = await traceById(collector.store, hex(3, 32).toUpperCase())
    expect(spans).toHaveLength(11)
    expect(spans[0]).toMatchObject({
      name: 'GET /products',
      kind: 'server',
      service: 'api',
      durationNs: 103e6,
      parentSpanId: '',
    })
    expect(await traceById(collector.store, 'f'.repeat(32))).toEqual([])
  })

  test('spans of many traces at once, more than a URL can hold', async () => {
    const ids = Array.from({ length: 20_000 }, (_, i) => hex(i, 32))
    const spans = await spansOfTraces(collector.store, scope, ids)
    expect(new Set(spans.map((span) => span.traceId)).size).toBe(traces + 1)
  })

  test('operations count duplicates once and weigh by sampling', async () => {
    const [figures, ...others] = await operations(collector.store, scope)
    expect(others).toEqual([])
    // Six of the thirteen were sampled at one half.
    expect(figures).toMatchObject({
      service: 'api',
      operation: 'GET /products',
      kind: 'server',
      spans: 13,
      requests: 19,
      errors: 1,
    })
    expect(figures!.p50Ms).toBeGreaterThan(100)
    expect(figures!.maxMs).toBe(113)
    const roots = await rootOperations(collector.store, scope)
    expect(roots.map((root) => root.operation)).toEqual(['GET /products'])
  })

  test('services tell which signals are there', async () => {
    const [service] = await services(collector.store, scope)
    const queries = (traces * (7 + 7 + traces + 1)) / 2
    expect(service).toMatchObject({
      service: 'api',
      spans: traces + queries + 1,
      databaseSpans: queries,
      databaseSpansWithText: queries,
      serverSpans: 13,
    })
  })

  test('statements that differ in literals are one', async () => {
    const rows = await statements(collector.store, scope)
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({
      statement: 'SELECT * FROM reviews WHERE product_id = ?',
      summary: 'SELECT reviews',
      system: 'postgresql',
      traces: 13,
    })
    expect(rows[0]!.traceIds).toHaveLength(5)
  })

  test('repeated siblings name the parent and the counts', async () => {
    const rows = await repeatedSiblings(collector.store, scope, { minCalls: 10 })
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({
      service: 'api',
      parentOperation: 'GET /products',
      parents: 11,
      minCalls: 10,
      maxCalls: 20,
    })
    expect(rows[0]!.traceIds[0]).toBe(hex(13, 32))
  })

  test('complete traces leave out the one without its parent', async () => {
    const rows = await completeTraces(collector.store, scope, { order: 'slowest' })
    expect(rows).toHaveLength(13)
    expect(rows[0]).toMatchObject({
      traceId: hex(13, 32),
      rootOperation: 'GET /products',
      spans: 21,
      durationMs: 113,
    })
  })

  test('exemplars: slowest and typical', async () => {
    const args = { service: 'api', operation: 'GET /products', limit: 1 }
    expect((await exemplarTraces(collector.store, scope, args))[0]!.traceId).toBe(hex(13, 32))
    expect((await exemplarTraces(collector.store, scope, { ...args, order: 'typical' }))[0]!.traceId).toBe(
      hex(7, 32),
    )
  })

  test('a scope outside of the data has nothing, a backward one is an error', async () => {
    expect(await operations(collector.store, { fromMs: 0, toMs: 1 })).toEqual([])
    await expect(operations(collector.store, { fromMs: 2, toMs: 1 })).rejects.toMatchObject({
      code: 'HS_SCOPE',
    })
  })
})
