import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { attributesOf, named, only, type ReceivedSpan, type Sink, startSink } from '../testing/sink.ts'
import { startApp, type TestApp } from '../testing/test-app.ts'
import { scrubDocument } from './graphql.ts'

// Each test starts processes: a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 })

let sink: Sink
let app: TestApp | undefined

beforeEach(async () => {
  sink = await startSink()
})
afterEach(async () => {
  await app?.end('SIGKILL')
  app = undefined
  await sink.close()
})

const start = async (LOADED_BY: string): Promise<TestApp> => {
  app = await startApp('rpc-app.mjs', {
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_BSP_SCHEDULE_DELAY: '50',
    LOADED_BY,
  })
  return app
}

/** Stalls of a busy machine are not what is asked here. */
const childrenOf = (spans: readonly ReceivedSpan[], { spanId }: ReceivedSpan): ReceivedSpan[] =>
  spans.filter(({ parentSpanId, name }) => parentSpanId === spanId && name !== 'event_loop.stall')

describe.each(['import', 'require'])('loaded by %s', (LOADED_BY) => {
  test('GraphQL: parse, validate, execute', async () => {
    const { url } = await start(LOADED_BY)
    const asked = async (body: object): Promise<unknown> =>
      (await fetch(`${url}/graphql`, { method: 'POST', body: JSON.stringify(body) })).json()
    const query = 'query GetItem($id: ID) { item(id: $id, note: "private") }'
    expect(await asked({ query, variables: { id: 7 } })).toEqual({ data: { item: 'item 7' } })
    await asked({ query: '{ item(id: 42) }', byHand: true })
    await asked({ query: '{ broken }' })
    await asked({ query: '{ unknown }' })
    await asked({ query: '{ unparsable' })
    const servers = (all: readonly ReceivedSpan[]): ReceivedSpan[] =>
      all.filter(({ kind }) => kind === 2).sort((a, b) => Number(a.startTimeUnixNano - b.startTimeUnixNano))
    const spans = await sink.until((all) => servers(all).length === 5)
    expect(app?.stderr()).not.toContain('[hotspan]')
    const trees = servers(spans).map((server) => childrenOf(spans, server))
    expect(trees.map((tree) => tree.map(({ name, status }) => [name, status.code]))).toEqual([
      [
        ['graphql.parse', 0],
        ['graphql.validate', 0],
        ['query GetItem', 0],
      ],
      [
        ['graphql.parse', 0],
        ['graphql.validate', 0],
        ['query', 0],
      ],
      [
        ['graphql.parse', 0],
        ['graphql.validate', 0],
        ['query', 2],
      ],
      [
        ['graphql.parse', 0],
        ['graphql.validate', 2],
      ],
      [['graphql.parse', 2]],
    ])
    const execute = only(spans, 'query GetItem')
    expect(execute.kind).toBe(1)
    expect(attributesOf(execute)).toEqual({
      'graphql.operation.type': 'query',
      'graphql.operation.name': 'GetItem',
      'graphql.document': 'query GetItem($id: ID) { item(id: $id, note: "?") }',
    })
    expect(childrenOf(spans, execute).map(({ name }) => name)).toEqual(['item resolver'])
    expect(attributesOf(trees[2]![2]!)['error.type']).toBe('MEANT')
  })

  test('tRPC: a span per procedure, and its name in the route', async () => {
    const { url } = await start(LOADED_BY)
    expect(await (await fetch(`${url}/ask`)).json()).toEqual({
      query: { id: 7 },
      mutation: 'added',
      missing: 'NOT_FOUND',
      fails: 'INTERNAL_SERVER_ERROR',
      batch: [{ id: 7 }, { id: 7 }],
      direct: { id: 7 },
    })
    const spans = await sink.until((all) =>
      all.some(({ kind, parentSpanId }) => kind === 2 && parentSpanId === ''),
    )
    expect(app?.stderr()).not.toContain('[hotspan]')
    /** Request, procedures in it, and what ran in each. */
    const journey = (name: string): unknown => {
      const client = childrenOf(spans, only(spans, name))[0]!
      const server = childrenOf(spans, client)[0]!
      return [
        server.name,
        ...childrenOf(spans, server).map((procedure) => [
          procedure.name,
          procedure.status.code,
          attributesOf(procedure)['rpc.response.status_code'],
          childrenOf(spans, procedure).map((child) => child.name),
        ]),
      ]
    }
    const byId = ['query items.byId', 0, undefined, ['byId']]
    expect(journey('query')).toEqual(['GET /trpc/items.byId', byId])
    expect(journey('mutation')).toEqual([
      'POST /trpc/items.add',
      ['mutation items.add', 0, undefined, ['app middleware']],
    ])
    expect(journey('missing')).toEqual([
      'GET /trpc/items.missing',
      ['query items.missing', 0, 'NOT_FOUND', []],
    ])
    expect(journey('fails')).toEqual([
      'GET /trpc/items.fails',
      ['query items.fails', 2, 'INTERNAL_SERVER_ERROR', []],
    ])
    expect(journey('batch')).toEqual(['GET /trpc/:batch', byId, byId])
    const direct = childrenOf(spans, only(spans, 'direct'))
    expect(direct.map(({ name }) => name)).toEqual(['query items.byId'])
    expect(attributesOf(direct[0]!)).toEqual({ 'rpc.system.name': 'trpc', 'rpc.method': 'items.byId' })
    expect(named(spans, 'query items.byId')).toHaveLength(4)
  })
})

test.each([
  ['{ a(id: 42, f: -1.5e3, s: "x\\"y") b2 }', '{ a(id: ?, f: ?, s: "?") b2 }'],
  [
    'query Q($a: Int = 3) { a(first: [1,2], name: $a1) }',
    'query Q($a: Int = ?) { a(first: [?,?], name: $a1) }',
  ],
  ['{ a(text: """one\n"two" 3""") }', '{ a(text: "?") }'],
])('literals of a document are scrubbed: %s', (document, scrubbed) => {
  expect(scrubDocument(document)).toBe(scrubbed)
})
