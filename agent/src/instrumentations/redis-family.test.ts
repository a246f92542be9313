import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { redisMissing } from '../testing/redis.ts'
import { type RedisFamily, startRedisCluster, startRedisSentinel } from '../testing/redis-family.ts'
import { attributesOf, only, type ReceivedSpan, type Sink, startSink } from '../testing/sink.ts'
import { startApp } from '../testing/test-app.ts'

const isMissing = redisMissing()

describe('more than one Redis', () => {
  let sink: Sink
  let family: RedisFamily | undefined
  beforeEach(async (context) => {
    context.skip(isMissing !== undefined, isMissing)
    sink = await startSink()
  })
  afterEach(async () => {
    await family?.stop()
    family = undefined
    await sink?.close()
  })

  const run = async (env: Record<string, string>): Promise<Record<string, unknown>> => {
    const app = await startApp('redis-family-app.mjs', { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...env })
    const told = await app.printed(({ done }) => done === true)
    await app.end()
    return told
  }
  /** Spans of the commands in the trace of a step. */
  const commandsOf = (step: string): ReceivedSpan[] => {
    const { traceId } = only(sink.spans, step)
    return sink.spans.filter(
      (span) => span.traceId === traceId && attributesOf(span)['db.system.name'] === 'redis',
    )
  }

  test('in a cluster a command has one span, in the trace of its caller, with the node that answered', async () => {
    family = await startRedisCluster()
    const { movedTo } = await run({ PORTS: family.ports.join() })
    const early = commandsOf('ioredis early').filter(({ name }) => name === 'set')
    expect(early.map(attributesOf)).toMatchObject([{ 'db.query.text': 'set early:? ?' }])
    expect(family.ports).toContain(attributesOf(early[0]!)['server.port'])
    // The first command for a node opens its connection.
    const pipeline = commandsOf('ioredis pipeline').map(attributesOf)
    expect(pipeline.filter((span) => span['db.operation.batch.size'] === 2)).toMatchObject([
      { 'db.operation.name': 'PIPELINE set' },
      { 'db.operation.name': 'PIPELINE get' },
    ])
    const moved = commandsOf('ioredis moved').filter(({ name }) => name === 'get')
    expect(moved.map((span) => [span.status.code, attributesOf(span)['server.port']])).toEqual([[0, movedTo]])
    expect(commandsOf('redis').map(attributesOf)).toMatchObject([
      { 'db.operation.name': 'SET', 'server.port': expect.toBeOneOf([...family.ports]) },
    ])
  })

  test('behind a sentinel the server is the one that it has named', async () => {
    family = await startRedisSentinel()
    const [master, sentinel] = family.ports
    await run({ SENTINEL: `${sentinel}` })
    for (const step of ['ioredis', 'redis'])
      expect(commandsOf(step).map(attributesOf)).toMatchObject([
        { 'server.address': '127.0.0.1', 'server.port': master },
      ])
  })
})
