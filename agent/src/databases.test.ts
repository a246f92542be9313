import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  expectAlike,
  expectNoSecret,
  expectSame,
  hashesOf,
  type Runs,
  runAll,
  textsOf,
} from './testing/database-steps.ts'
import { mariadbMissing, startMariadb } from './testing/mariadb.ts'
import { mongodbMissing, startMongodb } from './testing/mongodb.ts'
import { redisMissing, startRedis } from './testing/redis.ts'
import type { ServerProcess } from './testing/server-process.ts'
import { attributesOf, only, type ReceivedSpan } from './testing/sink.ts'
import { startApp } from './testing/test-app.ts'

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
    expectSame(runs(), {
      name: firstWord,
      added: /^mysql2-pool\.connect$/,
      without: ['many', 'concurrent', 'prepared'],
    })
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

  test('a prepared statement, which stock does not see', () => {
    const { spans } = runs().ours.get('prepared')!
    expect(attributesOf(only(spans, 'SELECT items'))).toMatchObject({
      'db.query.text': 'SELECT name FROM items WHERE id < ?',
      'db.response.returned_rows': 3,
      'server.port': port(),
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
