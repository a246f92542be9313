import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeRpcStatus, encodeTraces } from '@hotspan/otlp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createToken, limitProject } from '../access/token-file.ts'
import { type Collector, createCollector } from '../collector.ts'
import { traceById } from '../queries/trace-by-id.ts'
import { hex, madeSpan, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'

const slow = { timeout: 60_000 }
const json = 'application/json'
const protobuf = 'application/x-protobuf'

describe('docs/otlp-rules.md', () => {
  const root = new URL('../../', import.meta.url)
  const page = readFileSync(new URL('docs/otlp-rules.md', root), 'utf8')
  const rows = [...page.matchAll(/^\| .* \| (?:`([^`]+\.test\.ts)`): (.*) \|$/gm)]

  test('names a test for each rule, and the test exists', () => {
    expect(rows.length).toBeGreaterThan(20)
    expect(page.match(/^\| [^-|]/gm)).toHaveLength(rows.length + 1)
    for (const [, file = '', titles = ''] of rows) {
      const path = new URL(`src/${file}`, root)
      expect(existsSync(path), file).toBe(true)
      const source = readFileSync(path, 'utf8')
      for (const title of titles.split(' / '))
        expect(source.includes(title.trim()), `${file}: ${title}`).toBe(true)
    }
  })
})

describe.skipIf(missingEngine() !== null)('rules of OTLP', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-test-'))
  let collector: Collector

  beforeAll(async () => {
    collector = await createCollector({
      dataDir,
      otlpHttpPort: 0,
      pagePort: 0,
      pathPrefix: '/otlp',
      // The times below are of 2023.
      retentionDays: 0,
    })
  }, 60_000)

  afterAll(async () => {
    await collector.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  const post = async (
    path: string,
    body: string | Uint8Array,
    headers: Record<string, string> = { 'content-type': json },
  ) => {
    const answer = await fetch(`${collector.otlpUrl}/otlp${path}`, {
      method: 'POST',
      headers,
      body: typeof body === 'string' ? body : Buffer.from(body),
    })
    return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) }
  }
  const span = (parts: object) => ({
    traceId: 'AbCdEf0123456789AbCdEf0123456789',
    spanId: 'ABCDEF0123456789',
    name: 'by hand',
    startTimeUnixNano: '1700000000000000001',
    endTimeUnixNano: 1_700_000_000_500_000_000,
    ...parts,
  })
  const bodyOf = (...spans: object[]) => JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] })
  const stored = async (traceId: string) => {
    await collector.flush()
    return await traceById(collector.store, traceId)
  }
  const count = async (table: string): Promise<number> => {
    await collector.flush()
    const answer = await collector.store.client.query({
      query: `SELECT count() AS n FROM ${table}`,
      format: 'JSONEachRow',
    })
    return Number((await answer.json<{ n: string }>())[0]!.n)
  }

  test('the prefix stands in front of every path, and only there', slow, async () => {
    for (const path of ['/v1/traces', '/v1/logs', '/v1/metrics'])
      expect((await post(path, '{}')).status).toBe(200)
    const bare = await fetch(`${collector.otlpUrl}/v1/traces`, { method: 'POST', body: '{}' })
    expect(bare.status).toBe(404)
    expect(((await bare.json()) as { message: string }).message).toContain('/otlp/v1/traces')
  })

  test(
    'JSON: ids are hex of either case and come out in lower case; times are numbers or text',
    slow,
    async () => {
      expect((await post('/v1/traces', bodyOf(span({ kind: 2 })))).status).toBe(200)
      expect(await stored('abcdef0123456789abcdef0123456789')).toMatchObject([
        { spanId: 'abcdef0123456789', kind: 'server', startNs: 1_700_000_000_000_000_001n },
      ])
      // Base64, as the plain protobuf mapping of JSON has it.
      expect((await post('/v1/traces', bodyOf(span({ traceId: 'q83vASNFZ4mrze8BI0VniQ==' })))).status).toBe(
        400,
      )
    },
  )

  test('JSON: enums are integers, their names are refused', slow, async () => {
    expect((await post('/v1/traces', bodyOf(span({ kind: 'SPAN_KIND_SERVER' })))).status).toBe(400)
    expect((await post('/v1/traces', bodyOf(span({ status: { code: 'STATUS_CODE_OK' } })))).status).toBe(400)
  })

  test('JSON: unknown fields are ignored, snake_case keys are unknown', slow, async () => {
    const traceId = 'cc'.repeat(16)
    const body = bodyOf(span({ traceId, parent_span_id: '11'.repeat(8), fromTheFuture: { a: [1] }, kind: 3 }))
    expect((await post('/v1/traces', body)).status).toBe(200)
    expect(await stored(traceId)).toMatchObject([{ parentSpanId: '', kind: 'client' }])
    const before = await count('otel_traces')
    expect((await post('/v1/traces', '{"resource_spans":[{"scope_spans":[{"spans":[{}]}]}]}')).status).toBe(
      200,
    )
    expect(await count('otel_traces')).toBe(before)
  })

  test('JSON: null is the default of a field', slow, async () => {
    const traceId = 'dd'.repeat(16)
    const body = bodyOf(span({ traceId, parentSpanId: null, attributes: null, status: null, events: null }))
    expect((await post('/v1/traces', body)).status).toBe(200)
    expect(await stored(traceId)).toMatchObject([{ parentSpanId: '', attributes: {}, statusCode: 'unset' }])
  })

  test('JSON: logs and metrics with numbers where protobuf has 64 bits, and events', slow, async () => {
    const nano = 1_700_000_000_300_000_000
    const logs = {
      resourceLogs: [
        {
          scopeLogs: [
            {
              logRecords: [
                { timeUnixNano: nano, severityNumber: 9, body: { stringValue: 'x' }, eventName: 'page.view' },
                { observedTimeUnixNano: `${nano}`, attributes: [{ key: 'n', value: { intValue: 10 } }] },
              ],
            },
          ],
        },
      ],
    }
    const point = { timeUnixNano: nano, startTimeUnixNano: nano }
    const metrics = {
      resourceMetrics: [
        {
          scopeMetrics: [
            {
              metrics: [
                { name: 'a', gauge: { dataPoints: [{ ...point, asDouble: 10 }] } },
                {
                  name: 'b',
                  sum: {
                    aggregationTemporality: 1,
                    isMonotonic: true,
                    dataPoints: [{ ...point, asInt: '5' }],
                  },
                },
                {
                  name: 'c',
                  histogram: {
                    aggregationTemporality: 1,
                    dataPoints: [
                      {
                        ...point,
                        count: 3,
                        sum: 3,
                        bucketCounts: [1, '2'],
                        explicitBounds: [1],
                        min: 1,
                        max: 1,
                      },
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
    }
    expect((await post('/v1/logs', JSON.stringify(logs))).status).toBe(200)
    expect((await post('/v1/metrics', JSON.stringify(metrics))).status).toBe(200)
    expect(await count('otel_logs')).toBe(2)
    for (const table of ['gauge', 'sum', 'histogram']) expect(await count(`otel_metrics_${table}`)).toBe(1)
  })

  test('a warning has rejected = 0 and a message; the spans are kept', slow, async () => {
    const traceId = 'ee'.repeat(16)
    const long = [{ key: 'long', value: { stringValue: 'x'.repeat(300_000) } }]
    const answer = await post('/v1/traces', bodyOf(span({ traceId, attributes: long })))
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body.toString())).toEqual({
      partialSuccess: {
        errorMessage: expect.stringContaining('1 attribute values were cut to 262144 bytes'),
      },
    })
    expect((await stored(traceId))[0]!.attributes.long).toHaveLength(262_144)
  })

  test('429 says when to come again, in the encoding of the request', slow, async () => {
    const { token } = createToken(dataDir, { kind: 'write', project: 'tiny' })
    limitProject(dataDir, 'tiny', { recordsPerDay: 1 })
    const send = (id: number, type: string) => {
      const data = tracesOf('t', [madeSpan(Date.now(), { traceId: hex(id, 32), spanId: hex(1, 16) })])
      const body = type === json ? bodyOf(span({ traceId: hex(id, 32) })) : encodeTraces(data)
      return post('/v1/traces', body, { 'content-type': type, authorization: `Bearer ${token}` })
    }
    await expect.poll(async () => (await send(1, protobuf)).status, { timeout: 30_000 }).toBe(200)
    for (const [id, type] of [
      [2, json],
      [3, protobuf],
    ] as const) {
      const answer = await send(id, type)
      expect(answer.status).toBe(429)
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(answer.headers.get('content-type')).toBe(type)
      const status = type === json ? JSON.parse(answer.body.toString()) : decodeRpcStatus(answer.body)
      expect(status).toMatchObject({ code: 8, message: expect.stringContaining('1 records') })
      expect(answer.body.length).toBeLessThan(4 * 1024 * 1024)
    }
  })
})
