// BullMQ (by import, or by require with LOADED_BY=require) on the Redis at REDIS_PORT: sends in spans of its own, works in the
// same process.
import { createRequire } from 'node:module'
import { trace } from '@opentelemetry/api'

const { FlowProducer, Queue, Worker } =
  process.env.LOADED_BY === 'require' ? createRequire(import.meta.url)('bullmq') : await import('bullmq')

const tracer = trace.getTracer('app')
const connection = { host: '127.0.0.1', port: Number(process.env.REDIS_PORT), maxRetriesPerRequest: null }
const queue = new Queue('mails', { connection })
const flows = new FlowProducer({ connection })
const inSpan = (name, run) =>
  tracer.startActiveSpan(name, async (span) => {
    const result = await run()
    span.end()
    return result
  })

let left = 8
let finished
const done = new Promise((resolve) => {
  finished = resolve
})
const worker = new Worker(
  'mails',
  async (job) => {
    await inSpan('work', async () => {})
    if (job.name === 'fails-once' && job.attemptsMade === 0) throw new RangeError('meant to fail')
    return job.data.to
  },
  { connection, autorun: false },
)
const settled = () => {
  left--
  if (left === 0) finished()
}
worker.on('completed', settled)
worker.on('failed', settled)

const results = {}
await inSpan('one', async () => {
  const opts = Object.freeze({ removeOnComplete: 1000 })
  results.id = (await queue.add('welcome', { to: 'private' }, opts)).id
})
await inSpan('bulk', () =>
  queue.addBulk([
    { name: 'news', data: {} },
    { name: 'news', data: {} },
  ]),
)
await inSpan('retried', () => queue.add('fails-once', {}, { attempts: 2 }))
await inSpan('later', () => queue.add('delayed', {}, { delay: 200 }))
await inSpan('flow', () =>
  flows.add({
    name: 'parent',
    queueName: 'mails',
    data: {},
    children: [{ name: 'child', queueName: 'mails', data: {} }],
  }),
)
await queue.waitUntilReady()
worker.run()
await done
await worker.close()
await queue.close()
await flows.close()
process.stdout.write(`${JSON.stringify(results)}\n`)
