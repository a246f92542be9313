import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rabbitmqMissing, startRabbitmq } from '../testing/rabbitmq.ts'
import type { ServerProcess } from '../testing/server-process.ts'
import { attributesOf, only, type ReceivedSpan, startSink } from '../testing/sink.ts'
import { spanTrees } from '../testing/span-trees.ts'
import { startApp } from '../testing/test-app.ts'

const missing = rabbitmqMissing()

/** Spans of the app, made by ours or by the stock instrumentation in its place. */
async function run(
  port: number,
  LOADED_BY: string,
  stock = false,
): Promise<{ spans: readonly ReceivedSpan[]; printed: Record<string, unknown> }> {
  const sink = await startSink()
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, AMQP_PORT: `${port}`, LOADED_BY }
  const app = stock
    ? await startApp(
        'amqplib-app.mjs',
        { ...env, STOCK: 'amqplib', HOTSPAN_DISABLED_INSTRUMENTATIONS: 'amqplib' },
        { nodeArgs: ['--import', './test-apps/stock-beside.mjs'] },
      )
    : await startApp('amqplib-app.mjs', env)
  const printed = await app.printed(() => true)
  expect(await app.ended).toEqual({ code: 0, signal: null })
  expect(app.stderr()).not.toContain('[hotspan]')
  await sink.close()
  return { spans: sink.spans.filter(({ name }) => name !== 'event_loop.stall'), printed }
}

describe.skipIf(missing !== undefined)(
  `on a real RabbitMQ${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    let rabbitmq: ServerProcess
    beforeAll(async () => {
      rabbitmq = await startRabbitmq()
    }, 120_000)
    afterAll(() => rabbitmq?.stop())

    describe.each(['import', 'require'])('amqplib, loaded by %s', (LOADED_BY) => {
      let spans: readonly ReceivedSpan[]
      let printed: Record<string, unknown>

      beforeAll(async () => {
        ;({ spans, printed } = await run(rabbitmq.port, LOADED_BY))
      }, 60_000)

      const childrenOf = ({ spanId }: ReceivedSpan, kind: number): ReceivedSpan[] =>
        spans.filter((span) => span.parentSpanId === spanId && span.kind === kind)
      const journey = (name: string): { publish: ReceivedSpan; process: ReceivedSpan } => {
        const sent = childrenOf(only(spans, name), 4)
        expect(sent).toHaveLength(1)
        const taken = childrenOf(sent[0]!, 5)
        expect(taken).toHaveLength(1)
        return { publish: sent[0]!, process: taken[0]! }
      }

      test('a message through the default exchange: named by its queue, one trace', () => {
        const { publish, process } = journey('later')
        expect(publish).toMatchObject({ name: 'publish mails', status: { code: 0 } })
        const common = {
          'messaging.system': 'rabbitmq',
          'messaging.destination.name': 'mails',
          'messaging.rabbitmq.destination.routing_key': 'mails',
          'messaging.message.id': 'id-later',
          'messaging.message.body.size': 5,
          'server.address': '127.0.0.1',
          'server.port': rabbitmq.port,
          'network.peer.address': '127.0.0.1',
          'network.peer.port': rabbitmq.port,
        }
        expect(attributesOf(publish)).toEqual({
          ...common,
          'messaging.operation.name': 'publish',
          'messaging.operation.type': 'send',
        })
        expect(process).toMatchObject({ name: 'process mails', status: { code: 0 }, flags: 0x301 })
        expect(attributesOf(process)).toEqual({
          ...common,
          'messaging.operation.name': 'process',
          'messaging.operation.type': 'process',
          'hotspan.messaging.queue_wait': expect.any(Number),
        })
        expect(
          spans.some(({ name, parentSpanId }) => name === 'handled later' && parentSpanId === process.spanId),
        ).toBe(true)
        expect(printed.later).toEqual(expect.arrayContaining(['own', 'traceparent']))
      })

      test('an exchange names the span, not the routing key; queues that the broker named are one', () => {
        const { publish, process } = journey('routed')
        expect([publish.name, process.name]).toEqual(['publish orders', 'process (anonymous)'])
        expect(attributesOf(publish)['messaging.rabbitmq.destination.routing_key']).toBe('order.7.created')
        expect(printed.routed).toBe('order.7.created')
      })

      test('a refused message is an error; promises and confirmations are waited for', () => {
        expect(journey('refused').process.status.code).toBe(2)
        expect(attributesOf(journey('refused').process)['error.type']).toBe('nack')
        expect(journey('promised').process.status.code).toBe(0)
        journey('confirmed')
        journey('by callback')
        expect(printed.sameContext).toBe(true)
      })
    })

    test('the stock instrumentation makes the same spans under other names', async () => {
      const kindsOf = (spans: readonly ReceivedSpan[]): string[] =>
        spanTrees(spans, ({ kind, name }) => (kind >= 4 ? 'message' : name))
      const ours = await run(rabbitmq.port, 'require')
      const stock = await run(rabbitmq.port, 'require', true)
      expect(
        stock.spans.some(({ scopeName }) => scopeName === '@opentelemetry/instrumentation-amqplib'),
      ).toBe(true)
      expect(kindsOf(stock.spans)).toEqual(kindsOf(ours.spans))
    }, 60_000)
  },
)
