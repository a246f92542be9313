import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeExportResponse, encodeMetrics, encodeMetricsJson, type MetricsData } from '@hotspan/otlp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Collector, createCollector } from '../collector.ts'
import { metricTableNumbers, rowLayout } from '../schema/row-layout.ts'
import { everyKindOfMetric, metricsOf } from '../test-support/made-metrics.ts'
import { missingEngine } from '../test-support/require-engine.ts'

const protobuf = 'application/x-protobuf'
const json = 'application/json'
const atMs = Math.floor(Date.now() / 1000) * 1000 - 7_200_000 + 789
const timeText = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '000000')

describe.skipIf(missingEngine() !== null)('metrics, from the wire to the store', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-test-'))
  let collector: Collector

  beforeAll(async () => {
    collector = await createCollector({ dataDir, otlpHttpPort: 0, pagePort: 0, retentionDays: 0 })
  })

  afterAll(async () => {
    await collector.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  const post = (body: Uint8Array | string, type: string) =>
    fetch(`${collector.otlpUrl}/v1/metrics`, {
      method: 'POST',
      body: typeof body === 'string' ? body : Buffer.from(body),
      headers: { 'content-type': type },
    })
  const rows = async (query: string): Promise<Record<string, unknown>[]> =>
    (await collector.store.client.query({ query, format: 'JSONEachRow' })).json()
  const layouts = metricTableNumbers.map((number) => rowLayout(1, number)!)

  test('every kind arrives with every column, and the answer is a plain success', async () => {
    const answer = await post(encodeMetrics(metricsOf('kinds', everyKindOfMetric(atMs))), protobuf)
    expect(answer.status).toBe(200)
    expect(await answer.arrayBuffer()).toHaveProperty('byteLength', 0)
    await collector.flush()
    const origin = {
      ResourceAttributes: { 'host.name': 'h', 'service.name': 'kinds' },
      ResourceSchemaUrl: 'https://example.com/resource',
      ScopeName: 'meter',
      ScopeVersion: '1.2',
      ScopeAttributes: { a: 'b' },
      ScopeDroppedAttrCount: 3,
      ScopeSchemaUrl: 'https://example.com/scope',
      ServiceName: 'kinds',
      MetricUnit: 's',
      Attributes: { 'http.route': '/products' },
      StartTimeUnix: timeText(atMs - 60_000),
      TimeUnix: timeText(atMs),
    }
    const exemplars = {
      'Exemplars.FilteredAttributes': [{ user: 'seven' }, {}],
      'Exemplars.TimeUnix': [timeText(atMs - 1).replace('788000000', '788999993'), timeText(atMs)],
      'Exemplars.Value': [0.75, 5],
      'Exemplars.SpanId': ['cd'.repeat(8), ''],
      'Exemplars.TraceId': ['ab'.repeat(16), ''],
    }
    const distribution = { ...exemplars, Count: '13', Sum: 4.5, Min: -1, Max: 3.5, Flags: 0 }
    const known = { SumKnown: true, MinKnown: true, MaxKnown: true }
    const of = (table: string, order: string) =>
      rows(`SELECT * FROM otel_metrics_${table} WHERE ServiceName = 'kinds' ORDER BY ${order}`)

    const gauges = await of('gauge', 'Value')
    expect(gauges.map(({ Value, Flags }) => [Value, Flags])).toEqual([
      [-7, 0],
      [0, 1],
      [0.1, 0],
    ])
    expect(gauges[0]).toEqual({
      ...origin,
      ...exemplars,
      MetricName: 'pool.used',
      MetricDescription: 'about pool.used',
      Value: -7,
      Flags: 0,
    })
    expect(await of('sum', 'Value')).toEqual([
      {
        ...origin,
        ...exemplars,
        MetricName: 'http.requests',
        MetricDescription: 'about http.requests',
        Value: 4711,
        Flags: 0,
        AggregationTemporality: 2,
        IsMonotonic: true,
      },
    ])
    const [bare, full] = await of('histogram', 'Sum')
    expect(full).toEqual({
      ...origin,
      ...distribution,
      ...known,
      MetricName: 'http.server.request.duration',
      MetricDescription: 'about http.server.request.duration',
      BucketCounts: ['2', '11', '0'],
      ExplicitBounds: [0.1, 2.5],
      AggregationTemporality: 1,
    })
    expect(bare).toMatchObject({ Sum: 0, SumKnown: false, Min: 0, MinKnown: false, Max: 0, MaxKnown: false })
    expect(await of('exponential_histogram', 'Sum')).toEqual([
      {
        ...origin,
        ...distribution,
        ...known,
        MetricName: 'http.client.request.duration',
        MetricDescription: 'about http.client.request.duration',
        Scale: -3,
        ZeroCount: '2',
        ZeroThreshold: 0.001,
        PositiveOffset: -5,
        PositiveBucketCounts: ['1', String(2n ** 63n + 7n)],
        NegativeOffset: 3,
        NegativeBucketCounts: ['4'],
        AggregationTemporality: 2,
      },
    ])
    expect(await of('summary', 'Sum')).toEqual([
      {
        ...origin,
        MetricName: 'rpc.duration',
        MetricDescription: 'about rpc.duration',
        Count: '5',
        Sum: 2.5,
        'ValueAtQuantiles.Quantile': [0.99],
        'ValueAtQuantiles.Value': [1.75],
        Flags: 0,
      },
    ])
  })

  test('protobuf and JSON give equal rows in all tables', async () => {
    const data = metricsOf('equal', everyKindOfMetric(atMs))
    const hashes = async () => {
      const found = []
      for (const { table, columns } of layouts) {
        const each = columns.map((name) => `sum(cityHash64(\`${name}\`))`).join(', ')
        found.push(await rows(`SELECT count() AS n, ${each} FROM ${table} WHERE ServiceName = 'equal'`))
      }
      return found
    }
    expect((await post(encodeMetrics(data), protobuf)).status).toBe(200)
    await collector.flush()
    const byProtobuf = await hashes()
    expect(byProtobuf.map(([row]) => row!.n)).toEqual(['3', '1', '2', '1', '1'])
    for (const { table } of layouts)
      await collector.store.client.command({ query: `TRUNCATE TABLE ${table}` })
    const answer = await post(encodeMetricsJson(data), json)
    expect(await answer.text()).toBe('{}')
    await collector.flush()
    expect(await hashes()).toEqual(byProtobuf)
  })

  test('a body that comes again is stored once, counted, and acknowledged', async () => {
    const data = metricsOf('twice', everyKindOfMetric(atMs))
    const before = collector.stats()
    const answers = await Promise.all([1, 2, 3].map(() => post(encodeMetrics(data), protobuf)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    await collector.flush()
    const counts = await rows(
      layouts
        .map(({ table }) => `SELECT count() AS n FROM ${table} WHERE ServiceName = 'twice'`)
        .join(' UNION ALL '),
    )
    expect(counts.map(({ n }) => n).sort()).toEqual(['1', '1', '1', '2', '3'])
    const { receivedMetricPoints, storedMetricPoints, duplicates, rejectedMetricPoints } = collector.stats()
    expect([receivedMetricPoints, storedMetricPoints, duplicates, rejectedMetricPoints]).toEqual([
      before.receivedMetricPoints + 8,
      before.storedMetricPoints + 8,
      before.duplicates + 2,
      0,
    ])
  })

  test('what no row can hold is told with its number and reason; the rest of the body is stored', async () => {
    const point = { attributes: [], startTimeUnixNano: 0n, flags: 0, exemplars: [] }
    const good = { ...point, timeUnixNano: BigInt(atMs) * 1_000_000n, value: 1n }
    const data: MetricsData = metricsOf('partly', [
      {
        name: 'm',
        description: '',
        unit: '',
        metadata: [],
        data: {
          kind: 'gauge',
          points: [
            good,
            { ...good, value: null },
            { ...good, timeUnixNano: 2n ** 63n },
            { ...good, timeUnixNano: 2n ** 64n - 1n },
          ],
        },
      },
      { name: 'of a later version', description: '', unit: '', metadata: [], data: null },
    ])
    const answer = await post(encodeMetrics(data), protobuf)
    expect(answer.status).toBe(200)
    expect(decodeExportResponse(Buffer.from(await answer.arrayBuffer()))).toEqual({
      rejected: 3,
      errorMessage: expect.stringMatching(
        /2 with a time more than a day ahead of the collector's clock, 1 with no value/,
      ),
    })
    const inJson = await post(
      '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[{},{}]}}]}]}]}',
      json,
    )
    expect(await inJson.json()).toMatchObject({ partialSuccess: { rejectedDataPoints: '2' } })
    await collector.flush()
    expect(await rows("SELECT count() AS n FROM otel_metrics_gauge WHERE ServiceName = 'partly'")).toEqual([
      { n: '1' },
    ])
    expect(collector.stats()).toMatchObject({ rejectedMetricPoints: 5, quarantinedRows: 0 })
  })

  test('what is no metrics request is 400 with the place', async () => {
    const answer = await post('{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"sum":7}]}]}]}', json)
    expect(answer.status).toBe(400)
    expect(await answer.text()).toContain('resourceMetrics[0].scopeMetrics[0].metrics[0].sum')
    expect((await post(Uint8Array.from([10, 99]), protobuf)).status).toBe(400)
  })
})
