import { beforeAll, describe, expect, test } from 'vitest'
import { attributesOf, named, only, type ReceivedSpan, startSink } from '../testing/sink.ts'
import { startApp } from '../testing/test-app.ts'

describe.each(['import', 'require'])('@grpc/grpc-js, loaded by %s', (LOADED_BY) => {
  let spans: readonly ReceivedSpan[]
  let printed: Record<string, unknown>

  beforeAll(async () => {
    const sink = await startSink()
    const app = await startApp('grpc-app.mjs', { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, LOADED_BY })
    printed = await app.printed(() => true)
    expect(await app.ended).toEqual({ code: 0, signal: null })
    expect(app.stderr()).not.toContain('[hotspan]')
    spans = sink.spans
    await sink.close()
  }, 60_000)

  const childOf = (parent: ReceivedSpan, name: string): ReceivedSpan => {
    const found = named(spans, name).filter(({ parentSpanId }) => parentSpanId === parent.spanId)
    expect(found).toHaveLength(1)
    return found[0]!
  }
  const journey = (name: string): { client: ReceivedSpan; server: ReceivedSpan } => {
    const client = childOf(only(spans, `call ${name}`), `shop.Items/${name}`)
    return { client, server: childOf(client, `shop.Items/${name}`) }
  }

  test('a unary call: client and server in one trace', () => {
    const { client, server } = journey('Get')
    expect(client).toMatchObject({ kind: 3, status: { code: 0 }, flags: 0x101 })
    expect(attributesOf(client)).toMatchObject({
      'rpc.system.name': 'grpc',
      'rpc.method': 'shop.Items/Get',
      'rpc.response.status_code': 'OK',
      'server.address': 'localhost',
      'server.port': printed.port,
      'network.peer.port': printed.port,
    })
    expect(server).toMatchObject({ kind: 2, status: { code: 0 }, flags: 0x301, traceId: client.traceId })
    expect(attributesOf(server)).toMatchObject({
      'rpc.system.name': 'grpc',
      'rpc.method': 'shop.Items/Get',
      'rpc.response.status_code': 'OK',
      'server.address': 'localhost',
      'server.port': printed.port,
      'network.peer.address': expect.any(String),
    })
    childOf(server, 'handled Get')
    expect(printed.Get).toEqual({
      value: { id: 7, tracestate: ['ot=th:0'] },
      sameContext: true,
      metadata: [],
    })
  })

  test.each(['Sum', 'List', 'Echo'])('a stream: %s', (name) => {
    const { client, server } = journey(name)
    for (const span of [client, server]) {
      expect(span.status.code).toBe(0)
      expect(attributesOf(span)['rpc.response.status_code']).toBe('OK')
    }
    childOf(server, `handled ${name}`)
    expect(printed[name]).toEqual({ Sum: 6, List: [1, 2, 3], Echo: ['a'] }[name])
  })

  test("a status that is the caller's own doing is no error of the server", () => {
    const { client, server } = journey('Fail')
    expect(client.status).toEqual({ code: 2, message: 'no such item' })
    expect(attributesOf(client)).toMatchObject({
      'rpc.response.status_code': 'NOT_FOUND',
      'error.type': 'NOT_FOUND',
    })
    expect(server.status.code).toBe(0)
    expect(attributesOf(server)['rpc.response.status_code']).toBe('NOT_FOUND')
  })

  test('a handler that throws, a handler that never answers', () => {
    const thrown = journey('Throw')
    expect([thrown.client.status.code, thrown.server.status.code]).toEqual([2, 2])
    expect(attributesOf(thrown.server)['error.type']).toBe('UNKNOWN')
    const hung = journey('Hang')
    expect(attributesOf(hung.client)['error.type']).toBe('DEADLINE_EXCEEDED')
    expect(attributesOf(hung.server)['rpc.response.status_code']).toBe('CANCELLED')
  })
})
