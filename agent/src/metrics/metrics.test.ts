import { type AddressInfo, createServer } from 'node:net'
import {
  AggregationTemporality,
  attr,
  type HistogramPoint,
  type KeyValue,
  type Metric,
  type NumberPoint,
} from '@hotspan/otlp'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parseExposition } from '../testing/exposition.ts'
import { type Postgres, postgresMissing, startPostgres } from '../testing/postgres.ts'
import { promtoolCheck, promtoolMissing } from '../testing/promtool.ts'
import { type SignalSink, startSignalSink } from '../testing/signal-sink.ts'
import { attributesOf } from '../testing/sink.ts'
import { startApp, type TestApp } from '../testing/test-app.ts'
import { Instrument } from './instrument.ts'

let sink: SignalSink
let app: TestApp
beforeEach(async () => {
  sink = await startSignalSink()
})
afterEach(async () => {
  await app?.end('SIGKILL')
  await sink.close()
})

const start = async (env: Record<string, string>): Promise<void> => {
  app = await startApp('metrics-app.mjs', { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...env })
}
const ask = (path: string): Promise<string> => fetch(`${app.url}${path}`).then((answer) => answer.text())

const OTLP = { OTEL_METRICS_EXPORTER: 'otlp', OTEL_METRIC_EXPORT_INTERVAL: '200' }

const metricNamed = (name: string): Metric | undefined =>
  sink.metrics.at(-1)?.metrics.find((metric) => metric.name === name)

type Point = HistogramPoint | NumberPoint
const pointsOf = (name: string): readonly Point[] => {
  const data = metricNamed(name)?.data
  return data === null ||
    data === undefined ||
    data.kind === 'summary' ||
    data.kind === 'exponentialHistogram'
    ? []
    : data.points
}
const plain = (point: { attributes: readonly KeyValue[] }): Record<string, unknown> =>
  attributesOf(point as never)

/** The point of the last export with these attributes. */
const pointOf = (name: string, attributes: Record<string, unknown>): Point | undefined =>
  pointsOf(name).find((point) => {
    const own = plain(point)
    return Object.entries(attributes).every(([key, value]) => own[key] === value)
  })
const histogramOf = (name: string, attributes: Record<string, unknown>): HistogramPoint =>
  pointOf(name, attributes) as HistogramPoint

describe('OTLP', () => {
  test('request durations by route and status, with exemplars that lead to their traces', async () => {
    await start(OTLP)
    for (let i = 0; i < 3; i++) await ask(`/items/${i}`)
    await ask('/failing')
    await ask('/nowhere')
    const served = 'http.server.request.duration'
    await sink.until(() => pointOf(served, { 'http.response.status_code': 404 }) !== undefined)
    expect(metricNamed(served)).toMatchObject({ unit: 's', data: { kind: 'histogram', temporality: 2 } })
    const items = histogramOf(served, { 'http.route': '/items/:id' })
    expect(plain(items)).toEqual({
      'http.request.method': 'GET',
      'url.scheme': 'http',
      'http.response.status_code': 200,
      'network.protocol.version': '1.1',
      'http.route': '/items/:id',
    })
    expect(items.count).toBe(3n)
    expect(items.explicitBounds).toHaveLength(14)
    expect(items.bucketCounts.reduce((sum, count) => sum + count, 0n)).toBe(3n)
    expect(items.sum).toBeGreaterThanOrEqual(items.max!)
    expect(plain(histogramOf(served, { 'http.response.status_code': 500 }))).toMatchObject({
      'error.type': '500',
    })
    expect(plain(histogramOf(served, { 'http.response.status_code': 404 }))).not.toHaveProperty('http.route')
    const exemplars = sink.metrics.flatMap(({ metrics }) =>
      metrics
        .filter(({ name }) => name === served)
        .flatMap(({ data }) =>
          data?.kind === 'histogram' ? data.points.flatMap((point) => point.exemplars) : [],
        ),
    )
    expect(exemplars.length).toBeGreaterThan(0)
    await sink.until(({ spans }) => spans.filter(({ kind }) => kind === 2).length === 5)
    const ids = sink.spans.map(({ traceId, spanId }) => `${traceId}/${spanId}`)
    for (const { traceId, spanId } of exemplars) expect(ids).toContain(`${traceId}/${spanId}`)
  })

  test('without sampling the durations are whole, and carry no exemplar', async () => {
    await start({ ...OTLP, OTEL_TRACES_SAMPLER: 'always_off' })
    await ask('/outgoing')
    const called = 'http.client.request.duration'
    await sink.until(() => pointOf(called, { 'http.response.status_code': 404 }) !== undefined)
    const ok = histogramOf(called, { 'http.response.status_code': 200 })
    expect(plain(ok)).toEqual({
      'http.request.method': 'GET',
      'url.scheme': 'http',
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(app.url).port),
      'http.response.status_code': 200,
    })
    expect(ok.exemplars).toEqual([])
    expect(plain(histogramOf(called, { 'http.response.status_code': 404 }))).toMatchObject({
      'error.type': '404',
    })
    expect(histogramOf('http.server.request.duration', { 'http.route': '/items/:id' }).count).toBe(1n)
    expect(sink.spans).toEqual([])
  })

  test('calls that get no answer are told by the error', async () => {
    await start(OTLP)
    const closed = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => closed.once('listening', resolve))
    const { port } = closed.address() as AddressInfo
    await new Promise((resolve) => closed.close(resolve))
    await ask(`/refused?port=${port}`)
    const called = 'http.client.request.duration'
    await sink.until(() => histogramOf(called, { 'error.type': 'ECONNREFUSED' })?.count === 2n)
    expect(plain(histogramOf(called, { 'error.type': 'ECONNREFUSED' }))).toEqual({
      'http.request.method': 'GET',
      'url.scheme': 'http',
      'server.address': '127.0.0.1',
      'server.port': port,
      'error.type': 'ECONNREFUSED',
    })
  })

  test('event loop, garbage collector, heap, CPU and memory', async () => {
    await start(OTLP)
    await sink.until(({ metrics }) => metrics.length >= 3)
    const names = sink.metrics.at(-1)!.metrics.map(({ name }) => name)
    expect(names).toEqual(
      expect.arrayContaining([
        ...['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map(
          (name) => `nodejs.eventloop.delay.${name}`,
        ),
        'nodejs.eventloop.time',
        'nodejs.eventloop.utilization',
        'v8js.memory.heap.limit',
        'v8js.memory.heap.used',
        'v8js.memory.heap.space.size',
        'v8js.memory.heap.space.available_size',
        'v8js.memory.heap.space.physical_size',
        'v8js.resource.active',
        'process.cpu.time',
        'process.memory.usage',
        'process.uptime',
      ]),
    )
    await sink.until(() => pointsOf('v8js.gc.duration').length > 0)
    expect(['major', 'minor', 'incremental', 'weakcb']).toContain(
      plain(pointsOf('v8js.gc.duration')[0]!)['v8js.gc.type'],
    )
    expect(pointOf('v8js.memory.heap.used', { 'v8js.heap.space.name': 'old_space' })).toMatchObject({
      value: expect.any(BigInt),
    })
    expect((pointsOf('process.memory.usage')[0] as NumberPoint).value).toBeGreaterThan(10_000_000n)
    expect((pointOf('process.cpu.time', { 'cpu.mode': 'user' }) as NumberPoint).value).toBeGreaterThan(0)
    expect(metricNamed('process.cpu.time')!.data).toMatchObject({ kind: 'sum', isMonotonic: true })
    const resource = attributesOf(sink.metrics.at(-1)!.resource)
    expect(resource).toMatchObject({ [attr.serviceName]: 'test-app', [attr.processPid]: app.child.pid })
  })

  test("metrics of the app's own through the OpenTelemetry API; an observer that throws spoils nothing", async () => {
    await start(OTLP)
    const { traceId } = JSON.parse(await ask('/order')) as { traceId: string }
    await sink.until(() => pointsOf('orders').length > 0)
    expect(pointsOf('orders')).toMatchObject([{ value: 3n }])
    expect(plain(pointsOf('orders')[0]!)).toEqual({ kind: 'book', region: 'eu' })
    expect(metricNamed('orders')).toMatchObject({
      unit: '{order}',
      data: { kind: 'sum', isMonotonic: true, temporality: 2 },
    })
    expect(metricNamed('baskets.open')!.data).toMatchObject({ isMonotonic: false, points: [{ value: 3 }] })
    expect(histogramOf('order.price', {})).toMatchObject({
      explicitBounds: [10, 100],
      bucketCounts: [1n, 1n, 1n],
      sum: 1108.5,
      min: 9.5,
      max: 1000,
    })
    const exported = sink.metrics.flatMap(({ metrics }) =>
      metrics.filter(({ name }) => name === 'order.price'),
    )
    expect(
      exported.flatMap(({ data }) => (data?.kind === 'histogram' ? data.points[0]!.exemplars : [])),
    ).toContainEqual(expect.objectContaining({ traceId, value: 99 }))
    expect(pointsOf('oven.temperature')).toMatchObject([{ value: -4 }])
    expect(pointsOf('queue.depth')).toMatchObject([{ value: 7n }])
    expect(pointsOf('work.done')).toMatchObject([{ value: 3 }])
  })

  test('an endpoint that is down loses collections, counted, and the next one says all', async () => {
    sink.answer = 400
    await start(OTLP)
    await ask('/items/1')
    let failed = 0
    while (failed === 0)
      failed = (JSON.parse(await ask('/stats')) as { metrics: { failed: number } }).metrics.failed
    sink.answer = 200
    await sink.until(
      () => pointOf('http.server.request.duration', { 'http.route': '/items/:id' }) !== undefined,
    )
    expect(histogramOf('http.server.request.duration', { 'http.route': '/items/:id' }).count).toBe(1n)
    const { metrics } = JSON.parse(await ask('/stats')) as { metrics: Record<string, number> }
    expect(metrics.sent! + metrics.failed! + metrics.dropped! + metrics.queued!).toBe(metrics.made)
  })

  test('counters and histograms since the last export, when asked so', async () => {
    await start({ ...OTLP, OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta' })
    const route = { 'http.route': '/items/:id' }
    const served = (): HistogramPoint[] =>
      sink.metrics.flatMap(({ metrics }) =>
        metrics.flatMap(({ name, data }) =>
          name === 'http.server.request.duration' && data?.kind === 'histogram'
            ? data.points.filter((point) => plain(point)['http.route'] === route['http.route'])
            : [],
        ),
      )
    for (let i = 0; i < 3; i++) await ask('/items/1')
    await ask('/order')
    const total = (): number => served().reduce((sum, { count }) => sum + Number(count), 0)
    await sink.until(() => total() === 3)
    const firstEndNs = served().at(-1)!.timeUnixNano
    for (let i = 0; i < 2; i++) await ask('/items/1')
    await sink.until(() => total() === 5)
    const last = served().at(-1)!
    expect(last.startTimeUnixNano).toBeGreaterThanOrEqual(firstEndNs)
    expect(last.bucketCounts.reduce((sum, count) => sum + count, 0n)).toBe(last.count)
    // Told once, though it has been collected many times since.
    const orders = sink.metrics.flatMap(({ metrics }) => metrics.filter(({ name }) => name === 'orders'))
    expect(orders.map(({ data }) => data)).toMatchObject([
      { temporality: AggregationTemporality.Delta, points: [{ value: 3n }] },
    ])
    expect(metricNamed('baskets.open')?.data).toMatchObject({
      temporality: AggregationTemporality.Cumulative,
      points: [{ value: 3 }],
    })
  })

  test('the last collection goes out before the process ends', async () => {
    await start({ ...OTLP, OTEL_METRIC_EXPORT_INTERVAL: '3600000' })
    await ask('/items/1')
    await app.end()
    expect(histogramOf('http.server.request.duration', { 'http.route': '/items/:id' }).count).toBe(1n)
  })

  describe.skipIf(postgresMissing() !== undefined)('with a real PostgreSQL', () => {
    let postgres: Postgres
    beforeAll(async () => {
      postgres = await startPostgres()
    }, 60_000)
    afterAll(() => postgres?.stop())

    test('connections of a pool', async () => {
      await start({ ...OTLP, ...postgres.env })
      await ask('/pool')
      const pool = { 'db.client.connection.pool.name': `127.0.0.1:${postgres.port}/postgres` }
      const idle = { ...pool, 'db.client.connection.state': 'idle' }
      await sink.until(() => (pointOf('db.client.connection.count', idle) as NumberPoint)?.value === 2n)
      expect(
        pointOf('db.client.connection.count', { ...pool, 'db.client.connection.state': 'used' }),
      ).toMatchObject({
        value: 0n,
      })
      expect(pointOf('db.client.connection.max', pool)).toMatchObject({ value: 2n })
      expect(pointOf('db.client.connection.pending_requests', pool)).toMatchObject({ value: 0n })
      expect(histogramOf('db.client.connection.wait_time', pool).count).toBe(5n)
    })

    test('calls of the database, with the traces that they belong to', async () => {
      await start({ ...OTLP, ...postgres.env })
      await ask('/pool')
      const called = 'db.client.operation.duration'
      await sink.until(() => histogramOf(called, {})?.count === 5n)
      const point = histogramOf(called, {})
      expect(plain(point)).toEqual({
        'db.system.name': 'postgresql',
        'db.namespace': 'postgres',
        'db.operation.name': 'SELECT',
        'db.query.summary': 'SELECT',
        'server.address': '127.0.0.1',
        'server.port': postgres.port,
      })
      expect(point.explicitBounds).toEqual([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10])
      await sink.until(() => sink.spans.some(({ name }) => name === 'SELECT'))
      const queries = sink.spans.filter(({ name }) => name === 'SELECT').map(({ spanId }) => spanId)
      for (const { spanId } of point.exemplars) expect(queries).toContain(spanId)
    })

    test('unsampled calls are measured too', async () => {
      await start({ ...OTLP, ...postgres.env, OTEL_TRACES_SAMPLER: 'always_off' })
      await ask('/pool')
      await sink.until(() => histogramOf('db.client.operation.duration', {})?.count === 5n)
      expect(sink.spans).toEqual([])
    })
  })
})

describe('Prometheus', () => {
  const scrape = async (accept?: string): Promise<{ type: string; text: string }> => {
    const { prometheusPort } = await app.printed(() => true)
    const answer = await fetch(
      `http://127.0.0.1:${prometheusPort}/metrics`,
      accept === undefined ? {} : { headers: { accept } },
    )
    return { type: answer.headers.get('content-type')!, text: await answer.text() }
  }
  const PROMETHEUS = { OTEL_METRICS_EXPORTER: 'prometheus', OTEL_EXPORTER_PROMETHEUS_PORT: '0' }

  test('the text format, read strictly', async () => {
    await start({ ...PROMETHEUS, OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=a%22b' })
    await ask('/order')
    await ask('/items/1')
    const { type, text } = await scrape()
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8')
    const { types, samples } = parseExposition(text, 'text')
    expect(types).toMatchObject({
      target_info: 'gauge',
      http_server_request_duration_seconds: 'histogram',
      process_cpu_time_seconds_total: 'counter',
      process_memory_usage_bytes: 'gauge',
      nodejs_eventloop_utilization_ratio: 'gauge',
      orders_total: 'counter',
      order_price_EUR: 'histogram',
      oven_temperature_celsius: 'gauge',
    })
    const only = (name: string) => samples.find((sample) => sample.name === name)
    expect(only('target_info')!.labels).toMatchObject({
      service_name: 'test-app',
      deployment_environment_name: 'a"b',
    })
    expect(only('orders_total')).toMatchObject({
      value: 3,
      labels: { kind: 'book', region: 'eu', otel_scope_name: 'shop', otel_scope_version: '1.2' },
    })
    expect(only('queue_depth')).toMatchObject({ value: 7, labels: { queue: 'mail "x"\\y' } })
    expect(only('work_done_total')).toMatchObject({ value: 3, labels: { a: 'true', b: '1' } })
    const count = samples.find(
      ({ name, labels }) =>
        name === 'http_server_request_duration_seconds_count' && labels.http_route === '/items/:id',
    )
    expect(count).toMatchObject({ value: 1, labels: { http_response_status_code: '200' } })
    // A scrape is neither traced nor measured.
    expect(samples.some(({ labels }) => Object.values(labels).includes('/metrics'))).toBe(false)
    await sink.until(({ spans }) => spans.length >= 2)
    expect(
      sink.spans
        .filter(({ kind }) => kind === 2)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['GET /items/:id', 'GET /order'])
  })

  test('OpenMetrics, with exemplars', async () => {
    await start(PROMETHEUS)
    const { traceId } = JSON.parse(await ask('/order')) as { traceId: string }
    const { type, text } = await scrape('application/openmetrics-text; version=1.0.0')
    expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    const { types, samples } = parseExposition(text, 'openmetrics')
    expect(types).toMatchObject({ target: 'info', orders: 'counter', process_cpu_time_seconds: 'counter' })
    const exemplars = samples
      .filter(({ name }) => name === 'order_price_EUR_bucket')
      .map(({ exemplar }) => exemplar)
    expect(exemplars).toMatchObject([
      { value: 9.5, labels: { trace_id: traceId } },
      { value: 99, labels: { trace_id: traceId } },
      { value: 1000, labels: { trace_id: traceId } },
    ])
  })

  test.skipIf(promtoolMissing() !== undefined)('promtool reads it', async () => {
    await start(PROMETHEUS)
    await ask('/order')
    const { status, complaints } = promtoolCheck((await scrape()).text)
    // 3: it parses; promtool's taste in names differs from the conventions' (`time` and `ratio` among others).
    expect([0, 3], complaints).toContain(status)
    expect(complaints).not.toContain('error while linting')
  })

  test('a taken port is told once, and the app serves', async () => {
    const taken = new URL(sink.url).port
    app = await startApp('end-app.mjs', {
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      OTEL_METRICS_EXPORTER: 'prometheus',
      OTEL_EXPORTER_PROMETHEUS_PORT: taken,
    })
    expect((await fetch(app.url)).status).toBe(200)
    await app.end()
    expect(app.stderr()).toContain('no Prometheus endpoint')
  })
})

test('more sets of attributes than the bound share one series', () => {
  const counter = new Instrument({ kind: 'counter', name: 'x', description: '', unit: '', isInt: true })
  for (let i = 0; i < 5000; i++) counter.number({ user: i }).value++
  const data = counter.collect({ startNs: 0n, nowNs: 1n })!.data
  const points = data?.kind === 'sum' ? data.points : []
  expect(points).toHaveLength(2001)
  expect(plain(points.at(-1)!)).toEqual({ 'otel.metric.overflow': true })
  expect(points.reduce((sum, { value }) => sum + Number(value), 0)).toBe(5000)
})
