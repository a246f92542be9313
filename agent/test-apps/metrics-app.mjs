// Fastify, fetch and a pool of connections, and metrics made by hand through the OpenTelemetry API.
import { get } from 'node:http'
import { stats } from '@hotspan/agent'
import { metrics, trace, ValueType } from '@opentelemetry/api'
import Fastify from 'fastify'
import pg from 'pg'

const pool =
  process.env.PGPORT === undefined
    ? undefined
    : new pg.Pool({
        connectionString: `postgres://postgres@${process.env.PGHOST}:${process.env.PGPORT}/postgres`,
        max: 2,
      })
const meter = metrics.getMeter('shop', '1.2')
const orders = meter.createCounter('orders', {
  unit: '{order}',
  valueType: ValueType.INT,
  description: 'Orders "placed"\nso far',
})
const baskets = meter.createUpDownCounter('baskets.open')
const price = meter.createHistogram('order.price', {
  unit: 'EUR',
  advice: { explicitBucketBoundaries: [10, 100] },
})
const temperature = meter.createGauge('oven.temperature', { unit: 'Cel' })
const depth = meter.createObservableGauge('queue.depth', { valueType: ValueType.INT })
depth.addCallback((result) => result.observe(7, { queue: 'mail "x"\\y' }))
depth.addCallback(() => {
  throw new Error('an observer of the app fails')
})
const late = meter.createObservableCounter('work.done')
meter.addBatchObservableCallback(
  async (result) => {
    await new Promise((resolve) => setImmediate(resolve))
    result.observe(late, 3, { b: 1, a: true })
  },
  [late],
)

const app = Fastify({ forceCloseConnections: true })
app.get('/items/:id', async (request) => ({ id: request.params.id }))
app.get('/failing', async () => {
  throw new Error('failing')
})
app.get('/outgoing', async () => {
  const { port } = app.server.address()
  await fetch(`http://127.0.0.1:${port}/items/1`).then((answer) => answer.text())
  await fetch(`http://127.0.0.1:${port}/missing`).then((answer) => answer.text())
  return 'done'
})
app.get('/refused', async (request) => {
  const url = `http://127.0.0.1:${request.query.port}/`
  await new Promise((resolve) => get(url).on('error', resolve))
  return fetch(url).catch(() => 'refused')
})
app.get('/pool', async () => {
  await Promise.all([1, 2, 3, 4, 5].map(() => pool.query('SELECT 1')))
  return 'done'
})
app.get('/order', async () => {
  orders.add(1, { kind: 'book', region: 'eu' })
  orders.add(2, { region: 'eu', kind: 'book' })
  orders.add(-5)
  baskets.add(5)
  baskets.add(-2)
  price.record(9.5)
  price.record(99)
  price.record(1000)
  temperature.record(180)
  temperature.record(-4)
  return trace.getActiveSpan().spanContext()
})
app.get('/stats', async () => stats())

await app.listen({ port: 0, host: '127.0.0.1' })
const listening = setInterval(() => {
  const { prometheusPort } = stats()
  if (prometheusPort === undefined && process.env.OTEL_METRICS_EXPORTER?.includes('prometheus')) return
  clearInterval(listening)
  process.stdout.write(`${JSON.stringify({ port: app.server.address().port, prometheusPort })}\n`)
}, 5)
