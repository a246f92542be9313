import { describe, expect, test, vi } from 'vitest'
import { attributesOf, only, type ReceivedSpan, startSink } from '../testing/sink.ts'
import { spanTrees } from '../testing/span-trees.ts'
import { startApp } from '../testing/test-app.ts'

// Each test starts processes: a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 })

interface Asked {
  readonly env?: Record<string, string>
  /** Stock instrumentation that is registered beside the agent. */
  readonly stock?: string
  /** Instrumentation of ours that is switched off. */
  readonly without?: string
  readonly requests?: readonly (readonly [path: string, body?: string])[]
}

/** Spans of an app that ends by itself, or of the requests to one that does not. */
async function spansOf(
  file: string,
  { env, stock, without, requests }: Asked,
): Promise<readonly ReceivedSpan[]> {
  const sink = await startSink()
  const app = await startApp(
    file,
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      LOADED_BY: 'require',
      ...(stock === undefined ? {} : { STOCK: stock }),
      ...(without === undefined ? {} : { HOTSPAN_DISABLED_INSTRUMENTATIONS: without }),
      ...env,
    },
    { nodeArgs: stock === undefined ? [] : ['--import', './test-apps/stock-beside.mjs'] },
  )
  for (const [path, body] of requests ?? []) {
    await (await fetch(app.url + path, body === undefined ? {} : { method: 'POST', body })).text()
  }
  if (requests !== undefined) await app.end('SIGTERM')
  else expect(await app.ended).toEqual({ code: 0, signal: null })
  expect(app.stderr()).not.toContain('[hotspan]')
  await sink.close()
  return sink.spans.filter(({ name }) => name !== 'event_loop.stall')
}

/** Without the prefix of stock's gRPC names. */
const trees = (spans: readonly ReceivedSpan[]): string[] =>
  spanTrees(spans, ({ name }) => name.replace(/^grpc\./, ''))

const scopesOf = (spans: readonly ReceivedSpan[]): string[] => [
  ...new Set(spans.map(({ scopeName }) => scopeName)),
]

test('a stock instrumentation of a package that ours do not know: its spans stand in our traces', async () => {
  const spans = await spansOf('dataloader-app.cjs', { stock: 'dataloader' })
  expect(trees(spans)).toEqual([
    '1 request',
    '1 request > 3 dataloader.load',
    '1 request > 3 dataloader.load',
    '1 request > 3 dataloader.load > 1 dataloader.batch',
  ])
  expect(scopesOf(spans)).toContain('@opentelemetry/instrumentation-dataloader')
})

describe('in the place of ours, the stock one', () => {
  test('Koa: the stock spans, and the same route on our server span', async () => {
    const requests = [['/shops/3/carts/7']] as const
    const env = { FRAMEWORK: 'koa' }
    const name = 'GET /shops/:shop/carts/:id'
    const ours = only(await spansOf('frameworks-app.mjs', { env, requests }), name)
    const spans = await spansOf('frameworks-app.mjs', { env, requests, stock: 'koa', without: 'koa' })
    const stock = only(spans, name)
    expect(attributesOf(stock)['http.route']).toBe(attributesOf(ours)['http.route'])
    const layers = spans.filter(({ scopeName }) => scopeName === '@opentelemetry/instrumentation-koa')
    expect(layers.map(({ traceId }) => traceId)).toEqual(layers.map(() => stock.traceId))
    expect(layers.map((span) => span.name)).toContain('router - /shops/:shop/carts/:id')
  })

  test('GraphQL: the same spans', async () => {
    const query = 'query GetItem($id: ID) { item(id: $id) }'
    const requests = [
      ['/graphql', JSON.stringify({ query, variables: { id: 7 } })],
      ['/graphql', JSON.stringify({ query: '{ broken }' })],
    ] as const
    const ours = await spansOf('rpc-app.mjs', { requests })
    const stock = await spansOf('rpc-app.mjs', { requests, stock: 'graphql', without: 'graphql' })
    expect(scopesOf(stock)).toContain('@opentelemetry/instrumentation-graphql')
    // The app's own schema, parsed before any request: a trace of its own that says nothing.
    expect(trees(stock).filter((path) => path !== '1 graphql.parseSchema')).toEqual(trees(ours))
    const operation = (spans: readonly ReceivedSpan[]) => {
      const attributes = attributesOf(only(spans, 'query GetItem'))
      return [attributes['graphql.operation.type'], attributes['graphql.operation.name']]
    }
    expect(operation(stock)).toEqual(operation(ours))
  })

  test('gRPC: the same spans, and two that stock does not end', async () => {
    const ours = await spansOf('grpc-app.mjs', {})
    const stock = await spansOf('grpc-app.mjs', { stock: 'grpc', without: '@grpc/grpc-js' })
    expect(scopesOf(stock)).toContain('@opentelemetry/instrumentation-grpc')
    const known = trees(stock)
    expect(trees(ours).filter((path) => !known.includes(path))).toEqual([
      '1 call Hang > 3 shop.Items/Hang > 2 shop.Items/Hang',
      '1 call Throw > 3 shop.Items/Throw > 2 shop.Items/Throw',
    ])
    expect(known.filter((path) => !trees(ours).includes(path))).toEqual([])
  })
})
