import { cpSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { attributesOf, type ReceivedSpan, type Sink, startSink } from '../testing/sink.ts'
import { startApp, type TestApp } from '../testing/test-app.ts'

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

const serversOf = (spans: readonly ReceivedSpan[]): ReceivedSpan[] =>
  spans.filter(({ kind }) => kind === 2).sort((a, b) => Number(a.startTimeUnixNano - b.startTimeUnixNano))

/** Name, route and status of the server span of each request, in the order of the requests. */
async function routesOf(
  env: Record<string, string>,
  paths: readonly string[],
): Promise<(readonly [path: unknown, name: string, route: unknown, status: unknown])[]> {
  app = await startApp('frameworks-app.mjs', {
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_BSP_SCHEDULE_DELAY: '50',
    ...env,
  })
  for (const path of paths) await (await fetch(app.url + path)).text()
  const spans = await sink.until((all) => serversOf(all).length === paths.length)
  expect(app.stderr()).not.toContain('[hotspan]')
  return serversOf(spans).map((span) => {
    const attributes = attributesOf(span)
    return [
      attributes['url.path'],
      span.name,
      attributes['http.route'],
      attributes['http.response.status_code'],
    ] as const
  })
}

/** What every framework's app answers. */
const common = [
  ['/api/items/7', 'GET /api/items/:id', '/api/items/:id', 200],
  ['/api/fails/7', 'GET /api/fails/:id', '/api/fails/:id', 500],
  ['/shops/3/carts/7', 'GET /shops/:shop/carts/:id', '/shops/:shop/carts/:id', 200],
  ['/nowhere', 'GET', undefined, 404],
] as const
const paths = common.map(([path]) => path)

describe.each(['import', 'require'])('loaded by %s', (LOADED_BY) => {
  test('Express 5', async () => {
    expect(await routesOf({ FRAMEWORK: 'express', LOADED_BY }, [...paths, '/two'])).toEqual([
      ...common,
      ['/two', 'GET /one,/two', '/one,/two', 200],
    ])
  })

  describe('Express 4', () => {
    // npm gives a second version of a package another folder; the agent knows Express by the folder's name.
    const installed = dirname(fileURLToPath(import.meta.resolve('express4/package.json')))
    const folder = fileURLToPath(new URL('../../node_modules/.express-4', import.meta.url))
    const express = join(folder, 'node_modules/express')
    beforeAll(() => cpSync(installed, express, { recursive: true }))
    afterAll(() => rmSync(folder, { recursive: true, force: true }))

    test('routes', async () => {
      const EXPRESS = join(express, 'index.js')
      expect(await routesOf({ FRAMEWORK: 'express', LOADED_BY, EXPRESS }, [...paths, '/two'])).toEqual([
        ...common,
        ['/two', 'GET /one,/two', '/one,/two', 200],
      ])
    })
  })

  test('Koa', async () => {
    expect(await routesOf({ FRAMEWORK: 'koa', LOADED_BY }, [...paths, '/mounted/api/items/7'])).toEqual([
      ...common,
      ['/mounted/api/items/7', 'GET /mounted/api/items/:id', '/mounted/api/items/:id', 200],
    ])
  })

  test('Hono', async () => {
    expect(await routesOf({ FRAMEWORK: 'hono', LOADED_BY }, paths)).toEqual(common)
  })

  test.each(['nest-express', 'nest-fastify'])('NestJS: %s', async (FRAMEWORK) => {
    expect(await routesOf({ FRAMEWORK, LOADED_BY }, paths)).toEqual(common)
  })

  test('Hono with another router', async () => {
    expect(
      await routesOf({ FRAMEWORK: 'hono/tiny', LOADED_BY }, ['/api/items/7', '/api/items/8', '/nowhere']),
    ).toEqual([common[0], ['/api/items/8', 'GET /api/items/:id', '/api/items/:id', 200], common[3]])
  })
})
