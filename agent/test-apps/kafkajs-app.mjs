// kafkajs (by import, or by require with LOADED_BY=require) on the Kafka at KAFKA_PORT: sends in spans of its own, consumes one
// topic by message and one by batch in the same process.
import { createRequire } from 'node:module'
import { trace } from '@opentelemetry/api'

const { Kafka, logLevel } =
  process.env.LOADED_BY === 'require' ? createRequire(import.meta.url)('kafkajs') : await import('kafkajs')

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1'
const kafka = new Kafka({ brokers: [`127.0.0.1:${process.env.KAFKA_PORT}`], logLevel: logLevel.NOTHING })
const suffix = process.env.LOADED_BY ?? 'import'
const [single, batched] = [`mails-${suffix}`, `news-${suffix}`]
const tracer = trace.getTracer('app')
const inSpan = (name, run) =>
  tracer.startActiveSpan(name, async (span) => {
    await run()
    span.end()
  })

const admin = kafka.admin()
await admin.connect()
await admin.createTopics({ topics: [{ topic: single }, { topic: batched }] })
await admin.disconnect()

const producer = kafka.producer()
await producer.connect()
await inSpan('one', () => producer.send({ topic: single, messages: [Object.freeze({ value: 'one' })] }))
await inSpan('two topics', () =>
  producer.sendBatch({
    topicMessages: [
      { topic: single, messages: [{ value: 'two' }] },
      { topic: batched, messages: [{ value: 'a' }, { value: 'b' }] },
    ],
  }),
)
await inSpan('failing', () => producer.send({ topic: single, messages: [{ value: 'fails' }] }))

let left = 5
let finished
const done = new Promise((resolve) => {
  finished = resolve
})
const seen = (n) => {
  left -= n
  if (left === 0) finished()
}
const consumers = [single, batched].map((topic) =>
  kafka.consumer({ groupId: `group-${topic}`, retry: { initialRetryTime: 10 } }),
)
for (const [i, topic] of [single, batched].entries()) {
  await consumers[i].connect()
  await consumers[i].subscribe({ topics: [topic], fromBeginning: true })
}
await consumers[0].run({
  async eachMessage({ message }) {
    tracer.startSpan(`handled ${message.value}`).end()
    seen(1)
    if (message.value.toString() === 'fails') throw new RangeError('meant to fail')
  },
})
await consumers[1].run({
  async eachBatch({ batch }) {
    seen(batch.messages.length)
  },
})
await done
for (const consumer of consumers) await consumer.disconnect()
await producer.disconnect()
process.stdout.write(`${JSON.stringify({ done: true })}\n`)
