import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { redisMissing, startRedis } from '../testing/redis.ts'
import type { ServerProcess } from '../testing/server-process.ts'
import { attributesOf, named, only, type ReceivedSpan, startSink } from '../testing/sink.ts'
import { startApp } from '../testing/test-app.ts'

const missing = redisMissing()

describe.skipIf(missing !== undefined).each(['import', 'require'])(
  `BullMQ on a real Redis, loaded by %s${missing === undefined ? '' : ` (${missing})`}`,
  (LOADED_BY) => {
    let redis: ServerProcess
    let spans: readonly ReceivedSpan[]
    let printed: Record<string, unknown>

    beforeAll(async () => {
      redis = await startRedis()
      const sink = await startSink()
      const app = await startApp('bullmq-app.mjs', {
        OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
        REDIS_PORT: `${redis.port}`,
        LOADED_BY,
      })
      printed = await app.printed(() => true)
      expect(await app.ended).toEqual({ code: 0, signal: null })
      expect(app.stderr()).not.toContain('[hotspan]')
      spans = sink.spans
      await sink.close()
    }, 60_000)
    afterAll(() => redis?.stop())

    const childrenOf = (parent: ReceivedSpan, name: string): ReceivedSpan[] =>
      named(spans, name).filter(({ parentSpanId }) => parentSpanId === parent.spanId)

    /** The span of the sending call in the app's own span, and those of what was processed for it. */
    const journey = (name: string): { send: ReceivedSpan; process: ReceivedSpan[] } => {
      const [send] = childrenOf(only(spans, name), 'send mails')
      return { send: send!, process: childrenOf(send!, 'process mails') }
    }

    test('a job: send and process in one trace, the wait between them', () => {
      const { send, process } = journey('one')
      expect(send).toMatchObject({ kind: 4, status: { code: 0 } })
      expect(attributesOf(send)).toEqual({
        'messaging.system': 'bullmq',
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.destination.name': 'mails',
        'messaging.message.id': printed.id,
        'hotspan.messaging.job.name': 'welcome',
      })
      expect(process).toHaveLength(1)
      expect(process[0]).toMatchObject({ kind: 5, status: { code: 0 }, traceId: send.traceId, flags: 0x301 })
      const { 'hotspan.messaging.queue_wait': waitMs, ...rest } = attributesOf(process[0]!)
      expect(rest).toEqual({
        'messaging.system': 'bullmq',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': 'mails',
        'messaging.message.id': printed.id,
        'hotspan.messaging.job.name': 'welcome',
        'hotspan.messaging.attempt': 1,
      })
      // Redis' clock and ours are one; both times are whole milliseconds.
      const gapMs = Number(process[0]!.startTimeUnixNano - send.startTimeUnixNano) / 1e6
      expect(waitMs).toBeGreaterThanOrEqual(0)
      expect(waitMs).toBeLessThanOrEqual(gapMs + 20)
      expect(childrenOf(process[0]!, 'work')).toHaveLength(1)
    })

    test('jobs of a bulk are children of the one span that sent them', () => {
      const { send, process } = journey('bulk')
      expect(attributesOf(send)['messaging.batch.message_count']).toBe(2)
      expect(process).toHaveLength(2)
    })

    test('each attempt is a span; only the first knows how long it waited', () => {
      const attempts = journey('retried').process.sort((a, b) =>
        Number(a.startTimeUnixNano - b.startTimeUnixNano),
      )
      expect(attempts.map(({ status }) => status.code)).toEqual([2, 0])
      expect(attempts.map((span) => attributesOf(span)['hotspan.messaging.attempt'])).toEqual([1, 2])
      expect(attributesOf(attempts[0]!)['error.type']).toBe('RangeError')
      expect(attributesOf(attempts[1]!)).not.toHaveProperty('hotspan.messaging.queue_wait')
    })

    test('a delay that was asked for is no wait', () => {
      const { send, process } = journey('later')
      const sinceSentMs = Number(process[0]!.startTimeUnixNano - send.startTimeUnixNano) / 1e6
      expect(sinceSentMs).toBeGreaterThan(190)
      expect(attributesOf(process[0]!)['hotspan.messaging.queue_wait']).toBeLessThanOrEqual(sinceSentMs - 190)
    })

    test('a flow: child and parent under the span that sent it; waiting for a child is no wait', () => {
      const { send, process } = journey('flow')
      expect(attributesOf(send)['messaging.batch.message_count']).toBe(2)
      const byName = Object.fromEntries(
        process.map((span) => [attributesOf(span)['hotspan.messaging.job.name'], attributesOf(span)]),
      )
      expect(byName.child).toHaveProperty('hotspan.messaging.queue_wait')
      expect(byName.parent).not.toHaveProperty('hotspan.messaging.queue_wait')
    })
  },
)
