import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hotspanEsbuild } from './esbuild.ts'
import { mariadbMissing, startMariadb } from './testing/mariadb.ts'
import { mongodbMissing, startMongodb } from './testing/mongodb.ts'
import { redisMissing, startRedis } from './testing/redis.ts'
import type { ServerProcess } from './testing/server-process.ts'
import { attributesOf, only, type ReceivedSpan, startSink } from './testing/sink.ts'
import { startApp } from './testing/test-app.ts'

/** What one driver's steps made: per step its own span and the client spans below it, in order of their start. */
type Steps = Map<string, { readonly root: ReceivedSpan; readonly spans: readonly ReceivedSpan[] }>

interface Runs {
  readonly ours: Steps
  readonly esm: Steps
  readonly stock: Steps
  readonly bundled: Steps | undefined
}

const byStart = (a: ReceivedSpan, b: ReceivedSpan): number =>
  a.startTimeUnixNano < b.startTimeUnixNano ? -1 : a.startTimeUnixNano > b.startTimeUnixNano ? 1 : 0

async function run(file: string, driver: string, port: number, isStock: boolean): Promise<Steps> {
  const sink = await startSink()
  const app = await startApp(
    file,
    {
      DRIVER: driver,
      HOST: '127.0.0.1',
      PORT: String(port),
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      HOTSPAN_CALL_SITES: '1',
      HOTSPAN_DISABLED_INSTRUMENTATIONS: 'event-loop',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
    },
    isStock ? { agent: false, nodeArgs: ['--import', './test-apps/stock-databases.mjs'] } : {},
  )
  await Promise.race([
    app.printed(({ done }) => done === true),
    app.ended.then(() => {
      throw new Error(`${file} ended before its steps were done:\n${app.stderr()}`)
    }),
  ])
  await app.end()
  await sink.close()
  expect(app.stderr()).not.toContain('switched off')
  const steps: Steps = new Map()
  const ofApp = sink.spans.filter(({ scopeName }) => scopeName === 'steps')
  for (const root of ofApp) {
    const spans = sink.spans.filter(
      (span) => span.parentSpanId === root.spanId && span.traceId === root.traceId && !ofApp.includes(span),
    )
    steps.set(root.name, { root, spans: spans.sort(byStart) })
  }
  return steps
}

/** The three ways to run the same steps, one after the other: they change the same data. */
async function runAll(driver: string, port: number): Promise<Runs> {
  const stock = await run('databases.cjs', driver, port, true)
  const ours = await run('databases.cjs', driver, port, false)
  const esm = await run('databases.mjs', driver, port, false)
  const isBundled = driver !== 'mongodb'
  return { stock, ours, esm, bundled: isBundled ? await runBundled(driver, port) : undefined }
}

/** The CommonJS app as one file, made with our plugin; nothing of it is loaded by a package's name. */
async function runBundled(driver: string, port: number): Promise<Steps> {
  const apps = fileURLToPath(new URL('../test-apps', import.meta.url))
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-bundle-'))
  try {
    const outfile = join(folder, 'app.cjs')
    await build({
      entryPoints: [join(apps, 'databases.cjs')],
      bundle: true,
      platform: 'node',
      external: ['mongodb'],
      plugins: [hotspanEsbuild()],
      logLevel: 'silent',
      outfile,
    })
    return await run(relative(apps, outfile), driver, port, false)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Where ours differ from the stock package's, and why. */
interface Differences {
  /** Steps that are left out. */
  readonly without?: readonly string[]
  readonly name?: (span: ReceivedSpan) => string
  /** Our spans that the stock package has no counterpart of. */
  readonly added?: RegExp
  readonly attributes?: readonly string[]
  /** Steps whose status differs. */
  readonly status?: readonly string[]
}

/** Each stock span has its counterpart: name, kind, flags, status, and every attribute with type and value but scrubbed text. */
function expectSame(runs: Runs, differences: Differences): void {
  const { without = [], name = (span) => span.name, added, attributes = [], status = [] } = differences
  expect(runs.stock.size).toBeGreaterThan(5)
  for (const [step, { spans }] of runs.stock) {
    if (without.includes(step)) continue
    const mine = runs.ours.get(step)!.spans.filter((span) => !added?.test(span.name))
    const view = (span: ReceivedSpan, keys: readonly string[]): object => {
      const all = attributesOf(span)
      return {
        name: name(span),
        kind: span.kind,
        flags: span.flags,
        status: status.includes(step) ? 0 : span.status.code,
        attributes: Object.fromEntries(
          keys
            .filter((key) => !attributes.includes(key))
            .map((key) => [key, key === 'db.query.text' ? typeof all[key] : all[key]]),
        ),
      }
    }
    const keys = [...new Set(spans.flatMap((span) => Object.keys(attributesOf(span))))].sort()
    const all = (list: readonly ReceivedSpan[]): string[] =>
      list.map((span) => JSON.stringify(view(span, keys))).sort()
    expect(all(mine), step).toEqual(all(spans))
  }
}

/** Nothing of what the steps call secret leaves the process, nor do the comments and values around it. */
function expectNoSecret(runs: Runs): void {
  for (const steps of [runs.ours, runs.esm]) {
    for (const { spans } of steps.values()) {
      for (const span of spans) {
        expect(JSON.stringify([attributesOf(span), span.status.message])).not.toMatch(/secret|product:3|bob/)
      }
    }
  }
}

/** However a driver is loaded, its spans are the same. */
function expectAlike({ ours, esm, bundled = ours }: Runs): void {
  const names = (steps: Steps): object =>
    Object.fromEntries(
      [...steps].map(([step, { spans }]) => [
        step,
        spans
          .map(({ name }) => name)
          .filter((name) => !name.includes('connect'))
          .sort(),
      ]),
    )
  expect(names(esm)).toEqual(names(ours))
  expect(names(bundled)).toEqual(names(ours))
}

const textsOf = (steps: Steps, step: string): unknown[] =>
  steps.get(step)!.spans.map((span) => attributesOf(span)['db.query.text'])
const hashesOf = (steps: Steps, step: string): unknown[] =>
  steps.get(step)!.spans.map((span) => attributesOf(span)['hotspan.db.parameters.hash'])

function suite(
  driver: string,
  isMissing: string | undefined,
  start: () => Promise<ServerProcess>,
  tests: (runs: () => Runs, port: () => number) => void,
): void {
  describe(driver, () => {
    let server: ServerProcess | undefined
    let runs: Runs
    beforeEach((context) => context.skip(isMissing !== undefined, isMissing))
    beforeAll(async () => {
      if (isMissing !== undefined) return
      server = await start()
      runs = await runAll(driver, server.port)
    }, 180_000)
    afterAll(() => server?.stop())
    test('import, require and a bundle see the same', () => expectAlike(runs))
    test('no value leaves the process', () => expectNoSecret(runs))
    tests(
      () => runs,
      () => server!.port,
    )
  })
}

suite('ioredis', redisMissing(), startRedis, (runs, port) => {
  test('the spans are those of the stock package', () => {
    // Stock gives commands that were collected to whoever was the first.
    expectSame(runs(), { without: ['collected a', 'collected b'] })
  })

  test('commands that automatic pipelining collects belong to their own callers', () => {
    for (const name of ['a', 'b']) {
      const all = runs().ours.get(`collected ${name}`)!.spans.map(attributesOf)
      expect(all).toMatchObject([
        {
          'db.query.text': `get ${name}:?`,
          'db.operation.name': 'PIPELINE get',
          'db.operation.batch.size': 2,
          'code.function.name': 'collected',
        },
      ])
    }
  })

  test('a command', () => {
    const [set, get] = runs().ours.get('set and get')!.spans
    expect(attributesOf(set!)).toEqual({
      'db.system.name': 'redis',
      'db.namespace': '0',
      'server.address': '127.0.0.1',
      'server.port': port(),
      'db.operation.name': 'set',
      'db.query.text': 'set product:? ?',
      'hotspan.db.parameters.hash': expect.stringMatching(/^[0-9a-f]{16}$/),
      'code.function.name': 'setAndGet',
      'code.file.path': 'test-apps/database-steps.cjs',
      'code.line.number': expect.any(Number),
    })
    expect(get!.startTimeUnixNano >= set!.endTimeUnixNano).toBe(true)
  })

  test('a pipeline and a transaction say how much travelled together', () => {
    for (const [step, operations, size] of [
      ['pipeline', ['PIPELINE set', 'PIPELINE get', 'PIPELINE get'], 3],
      ['transaction', ['MULTI incr', 'MULTI incr'], 2],
    ] as const) {
      const inBatch = runs()
        .ours.get(step)!
        .spans.map(attributesOf)
        .filter((all) => all['db.operation.batch.size'] !== undefined)
      expect(inBatch.map((all) => all['db.operation.name'])).toEqual(operations)
      expect(inBatch.every((all) => all['db.operation.batch.size'] === size)).toBe(true)
    }
  })

  test('errors have the word that the reply begins with', () => {
    const failed = only(runs().ours.get('error')!.spans, 'lpush')
    expect(failed.status.code).toBe(2)
    expect(attributesOf(failed)).toMatchObject({
      'db.response.status_code': 'WRONGTYPE',
      'error.type': 'WRONGTYPE',
    })
    expect(only(runs().ours.get('unknown command')!.spans, 'NOSUCH').status.message).toBe(
      "ERR unknown command 'NOSUCH'",
    )
  })

  test('equal arguments have equal hashes; a callback runs in its context; a lazy client connects', () => {
    const [a, b, c] = hashesOf(runs().ours, 'many')
    expect(a).toBe(b)
    expect(c).not.toBe(a)
    expect(attributesOf(runs().ours.get('callback')!.root)).toEqual({ active: true })
    const { spans } = runs().ours.get('connect')!
    expect(attributesOf(only(spans, 'connect'))).toMatchObject({
      'db.query.text': 'connect',
      'db.namespace': '1',
    })
    expect(attributesOf(only(spans, 'get'))).toMatchObject({ 'db.namespace': '1' })
  })
})

suite('redis', redisMissing(), startRedis, (runs, port) => {
  test('the spans are those of the stock package', () => expectSame(runs(), {}))

  test('a command', () => {
    const [set] = runs().ours.get('set and get')!.spans
    expect(attributesOf(set!)).toMatchObject({
      'db.system.name': 'redis',
      'db.namespace': '0',
      'server.address': '127.0.0.1',
      'server.port': port(),
      'db.operation.name': 'SET',
      'db.query.text': 'SET product:? ?',
      'code.function.name': 'setAndGet',
      'code.file.path': 'test-apps/database-steps.cjs',
    })
    expect(textsOf(runs().ours, 'raw')).toEqual(['GET product:?'])
  })

  test('a batch, and the one command of it that fails', () => {
    for (const step of ['transaction', 'pipeline', 'error in transaction']) {
      for (const span of runs().ours.get(step)!.spans) {
        expect(attributesOf(span)['db.operation.batch.size']).toBe(2)
      }
    }
    const [set, push] = runs().ours.get('error in transaction')!.spans
    expect(set!.status.code).toBe(0)
    expect(push!.status.code).toBe(2)
    expect(attributesOf(push!)).toMatchObject({ 'error.type': 'WRONGTYPE' })
  })
})

suite('mysql2', mariadbMissing(), startMariadb, (runs, port) => {
  test('the spans are those of the stock package', () => {
    const firstWord = ({ name }: ReceivedSpan): string => name.split(' ')[0]!
    // The name is the summary. Stock loses the caller of queries that wait for a connection.
    expectSame(runs(), { name: firstWord, added: /^mysql2-pool\.connect$/, without: ['many', 'concurrent'] })
  })

  test('a query through a pool', () => {
    const { spans } = runs().ours.get('pool query')!
    expect(attributesOf(only(spans, 'SELECT items'))).toEqual({
      'db.system.name': 'mysql',
      'db.namespace': 'shop',
      'server.address': '127.0.0.1',
      'server.port': port(),
      'db.query.text': 'SELECT id, name FROM items WHERE id = ?',
      'db.query.summary': 'SELECT items',
      'db.operation.name': 'SELECT',
      'db.response.returned_rows': 1,
      'hotspan.db.parameters.hash': expect.stringMatching(/^[0-9a-f]{16}$/),
      'code.function.name': 'loadItem',
      'code.file.path': 'test-apps/database-steps.cjs',
      'code.line.number': expect.any(Number),
    })
    expect(attributesOf(only(runs().ours.get('pool execute')!.spans, 'SELECT items'))).toMatchObject({
      'db.response.returned_rows': 7,
      'code.function.name': 'executeItem',
    })
  })

  test('literals are scrubbed as this dialect writes them', () => {
    const texts = textsOf(runs().ours, 'literals').filter((text) => text !== undefined)
    expect(texts).toEqual(['SELECT `name` FROM `items` WHERE name = ? AND id = ?'])
  })

  test('errors have the server number and name; their values are cut out', () => {
    const missing = only(runs().ours.get('error')!.spans, 'SELECT missing_table')
    expect(missing.status).toMatchObject({ code: 2, message: "Table 'shop.missing_table' doesn't exist" })
    expect(attributesOf(missing)).toMatchObject({
      'db.response.status_code': '1146',
      'error.type': 'ER_NO_SUCH_TABLE',
    })
    const duplicate = only(runs().ours.get('duplicate')!.spans, 'INSERT items')
    expect(duplicate.status.message).toBe('Duplicate entry ?')
    expect(only(runs().ours.get('handled error event')!.spans, 'SELECT missing_table').status.code).toBe(2)
  })

  test('whoever waits for a connection keeps its context, and the wait is a span', () => {
    const { spans } = runs().ours.get('many')!
    const queries = spans.filter(({ name }) => name === 'SELECT items')
    expect(queries).toHaveLength(6)
    for (const query of queries) {
      expect(attributesOf(query)).toMatchObject({ 'code.file.path': 'test-apps/database-steps.cjs' })
    }
    for (const name of ['a', 'b', 'c', 'd']) {
      expect(
        runs()
          .ours.get(`concurrent ${name}`)!
          .spans.map((span) => span.name),
      ).toContain('SELECT items')
    }
    // Of four that begin together on one open connection, three open another.
    const waits = ['a', 'b', 'c', 'd'].flatMap((name) =>
      runs()
        .ours.get(`concurrent ${name}`)!
        .spans.filter((span) => span.name === 'mysql2-pool.connect'),
    )
    expect(waits.length).toBeGreaterThanOrEqual(3)
    expect(attributesOf(waits[0]!)).toEqual({
      'db.system.name': 'mysql',
      'db.namespace': 'shop',
      'server.address': '127.0.0.1',
      'server.port': port(),
    })
  })

  test('a callback runs in its context when nothing is sampled, too', async () => {
    const app = await startApp('databases.cjs', {
      DRIVER: 'mysql2',
      HOST: '127.0.0.1',
      PORT: String(port()),
      OTEL_TRACES_SAMPLER: 'always_off',
    })
    expect(await app.printed((line) => line.active !== undefined)).toEqual({ active: true })
    await app.end('SIGKILL')
  })

  test('a callback runs in its context; rows as events end the span', () => {
    const { root, spans } = runs().ours.get('callback')!
    expect(attributesOf(root)).toEqual({ active: true })
    expect(attributesOf(only(spans, 'SELECT items'))['db.response.returned_rows']).toBe(3)
    expect(only(runs().ours.get('events')!.spans, 'SELECT items').status.code).toBe(0)
  })
})

suite('mongodb', mongodbMissing(), startMongodb, (runs, port) => {
  test('the spans are those of the stock package', () => {
    expectSame(runs(), {
      // `$cmd` is where commands go, not what they are about.
      name: ({ name }) => name.replace(/ (\$cmd|books)$/, ''),
      attributes: ['db.collection.name'],
      // A write that the server refuses is an error, though it comes as an answer.
      status: ['duplicate'],
    })
  })

  test('a find', () => {
    const { spans } = runs().ours.get('find')!
    expect(attributesOf(only(spans, 'find books'))).toEqual({
      'db.system.name': 'mongodb',
      'db.namespace': 'shop',
      'db.collection.name': 'books',
      'server.address': '127.0.0.1',
      'server.port': port(),
      'db.operation.name': 'find',
      'db.query.text': '{"find":"?","filter":{"_id":{"$in":["?"]}}}',
      'db.response.returned_rows': 3,
      'hotspan.db.parameters.hash': expect.stringMatching(/^[0-9a-f]{16}$/),
      'code.function.name': 'findBooks',
      'code.file.path': 'test-apps/database-steps.cjs',
      'code.line.number': expect.any(Number),
    })
    only(runs().ours.get('aggregate')!.spans, 'aggregate books')
  })

  test('a batch says its size; equal filters have equal hashes', () => {
    expect(attributesOf(only(runs().ours.get('insert many')!.spans, 'insert books'))).toMatchObject({
      'db.operation.batch.size': 3,
      'db.query.text': '{"_id":"?","title":"?","author":{"name":"?"}}',
    })
    expect(new Set(hashesOf(runs().ours, 'many')).size).toBe(2)
  })

  test('errors have the server code, refused writes too', () => {
    expect(attributesOf(only(runs().ours.get('error')!.spans, 'noSuchCommand'))).toMatchObject({
      'db.response.status_code': '59',
      'error.type': '59',
    })
    const refused = only(runs().ours.get('duplicate')!.spans, 'insert books')
    expect(refused.status.code).toBe(2)
    expect(attributesOf(refused)).toMatchObject({ 'db.response.status_code': '11000' })
  })
})
