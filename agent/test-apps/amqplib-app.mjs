// amqplib (by import, or by require with LOADED_BY=require; its callback API too) on the RabbitMQ at AMQP_PORT: sends in spans
// of its own, consumes in the same process.
import { createRequire } from 'node:module'
import { trace } from '@opentelemetry/api'

const require = createRequire(import.meta.url)
const load = (name, imported) => (process.env.LOADED_BY === 'require' ? require(name) : imported())
const amqp = await load('amqplib', () => import('amqplib'))
const byCallback = await load('amqplib/callback_api', () => import('amqplib/callback_api'))
const url = `amqp://guest:guest@127.0.0.1:${process.env.AMQP_PORT}`
const tracer = trace.getTracer('app')
const handled = (name) => tracer.startSpan(`handled ${name}`).end()
const inSpan = (name, run) =>
  tracer.startActiveSpan(name, async (span) => {
    await run()
    span.end()
  })
/** A promise and what resolves it. */
const later = () => Promise.withResolvers?.() ?? withResolvers()
function withResolvers() {
  const made = {}
  made.promise = new Promise((resolve) => {
    made.resolve = resolve
  })
  return made
}

const connection = await (amqp.connect ?? amqp.default.connect)(url)
const channel = await connection.createChannel()
const confirm = await connection.createConfirmChannel()
const results = {}

await channel.assertExchange('orders', 'topic', { durable: false })
await channel.assertQueue('mails', { durable: false })
const { queue: anonymous } = await channel.assertQueue('', { exclusive: true })
await channel.bindQueue(anonymous, 'orders', 'order.#')

/** One consumer a queue: what it does is in the message. */
const waiting = new Map()
const arrival = (name) => {
  const { promise, resolve } = later()
  waiting.set(name, resolve)
  return promise
}
await channel.consume('mails', (message) => {
  const name = message.content.toString()
  handled(name)
  if (name === 'promised') return Promise.resolve().then(() => channel.ack(message))
  if (name === 'refused') channel.nack(message, false, false)
  else setImmediate(() => channel.ack(message))
  waiting.get(name)?.(Object.keys(message.properties.headers))
  return undefined
})
await channel.consume(anonymous, (message) => waiting.get('routed')?.(message.fields.routingKey), {
  noAck: true,
})

// The stock instrumentation, which the test runs too, writes into the app's headers.
const headers = process.env.STOCK ? { own: 'x' } : Object.freeze({ own: 'x' })
for (const name of ['later', 'refused']) {
  const arrived = arrival(name)
  await inSpan(name, async () => {
    channel.sendToQueue('mails', Buffer.from(name), { headers, messageId: `id-${name}` })
  })
  results[name] = await arrived
}
await inSpan('promised', async () => {
  channel.sendToQueue('mails', Buffer.from('promised'))
})
const routed = arrival('routed')
await inSpan('routed', () => {
  channel.publish('orders', 'order.7.created', Buffer.from('{}'))
  return Promise.resolve()
})
results.routed = await routed
await inSpan(
  'confirmed',
  () =>
    new Promise((resolve, reject) => {
      const before = trace.getActiveSpan()
      confirm.sendToQueue('mails', Buffer.from('confirmed'), {}, (error) => {
        results.sameContext = trace.getActiveSpan() === before
        if (error) reject(error)
        else resolve()
      })
    }),
)
await inSpan(
  'by callback',
  () =>
    new Promise((resolve, reject) => {
      ;(byCallback.connect ?? byCallback.default.connect)(url, (error, other) => {
        if (error) return reject(error)
        other.createChannel((failed, plain) => {
          if (failed) return reject(failed)
          trace.getActiveSpan()
          plain.sendToQueue('mails', Buffer.from('by callback'))
          plain.close(() => other.close(resolve))
        })
      })
    }),
)
// Whatever is left is consumed before the channel closes: one more message behind all others.
const last = arrival('last')
channel.sendToQueue('mails', Buffer.from('last'))
await last
await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
await channel.close()
await connection.close()
process.stdout.write(`${JSON.stringify(results)}\n`)
