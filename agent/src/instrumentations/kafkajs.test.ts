import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kafkaMissing, startKafka } from '../testing/kafka.ts'
import type { ServerProcess } from '../testing/server-process.ts'
import { attributesOf, only, type ReceivedSpan, startSink } from '../testing/sink.ts'
import { startApp } from '../testing/test-app.ts'

const missing = kafkaMissing()

describe.skipIf(missing !== undefined)(
  `on a real Kafka${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    let kafka: ServerProcess
    beforeAll(async () => {
      kafka = await startKafka()
    }, 120_000)
    afterAll(() => kafka?.stop())

    describe.each(['import', 'require'])('kafkajs, loaded by %s', (LOADED_BY) => {
      let spans: readonly ReceivedSpan[]
      beforeAll(async () => {
        const sink = await startSink()
        const app = await startApp('kafkajs-app.mjs', {
          OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
          KAFKA_PORT: `${kafka.port}`,
          LOADED_BY,
        })
        expect(await app.ended).toEqual({ code: 0, signal: null })
        expect(app.stderr()).not.toContain('[hotspan]')
        spans = sink.spans
        await sink.close()
      }, 120_000)

      const childrenOf = ({ spanId }: ReceivedSpan, kind: number): ReceivedSpan[] =>
        spans.filter((span) => span.parentSpanId === spanId && span.kind === kind)

      test('a message: send and process in one trace, the wait between them', () => {
        const [send] = childrenOf(only(spans, 'one'), 4)
        expect(send?.name).toBe(`send mails-${LOADED_BY}`)
        expect(attributesOf(send!)).toEqual({
          'messaging.system': 'kafka',
          'messaging.operation.name': 'send',
          'messaging.operation.type': 'send',
          'messaging.destination.name': `mails-${LOADED_BY}`,
        })
        const [process] = childrenOf(send!, 5)
        expect(process).toMatchObject({
          name: `process mails-${LOADED_BY}`,
          status: { code: 0 },
          flags: 0x301,
        })
        expect(attributesOf(process!)).toEqual({
          'messaging.system': 'kafka',
          'messaging.operation.name': 'process',
          'messaging.operation.type': 'process',
          'messaging.destination.name': `mails-${LOADED_BY}`,
          'messaging.destination.partition.id': '0',
          'messaging.consumer.group.name': `group-mails-${LOADED_BY}`,
          'messaging.kafka.offset': 0,
          'messaging.message.body.size': 3,
          'hotspan.messaging.queue_wait': expect.any(Number),
        })
        expect(only(spans, 'handled one').parentSpanId).toBe(process!.spanId)
      })

      test('a batch has a span for each topic; taken as a batch it links to its sender', () => {
        const sends = childrenOf(only(spans, 'two topics'), 4)
        expect(sends.map(({ name }) => name)).toEqual([`send mails-${LOADED_BY}`, `send news-${LOADED_BY}`])
        expect(attributesOf(sends[1]!)['messaging.batch.message_count']).toBe(2)
        const batch = only(spans, `process news-${LOADED_BY}`)
        expect(batch.parentSpanId).toBe('')
        expect(batch.links.map(({ spanId }) => spanId)).toEqual([sends[1]!.spanId])
        expect(attributesOf(batch)['messaging.batch.message_count']).toBe(2)
      })

      test('a consumer that fails', () => {
        const [send] = childrenOf(only(spans, 'failing'), 4)
        const [process] = childrenOf(send!, 5)
        expect(process?.status.code).toBe(2)
        expect(attributesOf(process!)['error.type']).toBe('RangeError')
      })
    })
  },
)
