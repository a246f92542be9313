import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Report } from './finding.ts'
import { storedFindings, storeFindings } from './store-findings.ts'
import { Bench } from './testing/bench.ts'
import { call, endOf, fromBrowser, oneAfterAnother, query, serve } from './testing/shapes.ts'
import { type MadeSpan, Traffic } from './testing/traffic.ts'

let bench: Bench
beforeAll(async () => {
  bench = await Bench.open()
}, 60_000)
afterAll(() => bench?.close())

const sure = (report: Report) => report.findings.filter((finding) => finding.confidence !== 'possible')
const ids = (report: Report) => sure(report).map((finding) => finding.detector)

const listText = 'SELECT id, name FROM products ORDER BY popularity DESC LIMIT $1 OFFSET $2'
const ratingText = 'SELECT count(*), avg(rating) FROM reviews WHERE product_id = $1'

/** A list whose cards ask one by one. */
function list(
  traffic: Traffic,
  n: number,
  more: { parameters?: boolean; site?: boolean; rows?: boolean; callMs?: number } = {},
): MadeSpan {
  const { parameters = true, site = true, rows = true, callMs = 3 } = more
  const first = query(listText, 2, traffic.around(4), { rows: rows ? n : 200, parameters: ['list', n] })
  const calls = oneAfterAnother(
    Array.from({ length: n }, (_, i) =>
      query(ratingText, 0, traffic.around(callMs), {
        ...(parameters && { parameters: [traffic.whole(1, 1e6), i] }),
        ...(site && { site: 'ratingOf' }),
      }),
    ),
    endOf([first]) + 0.5,
  )
  return serve('GET /products', endOf(calls) + 2, [first, ...calls])
}

describe('n-plus-one', () => {
  test('a loop over rows is one finding with the right place, saving and traces', async () => {
    const traffic = new Traffic(1)
    traffic.add(60, 5, () => list(traffic, 24))
    traffic.add(6, 5, () => fromBrowser(list(traffic, 24)))
    const report = await bench.analyse(traffic.traces)
    expect(ids(report)).toEqual(['n-plus-one'])
    const [finding] = sure(report)
    expect(finding).toMatchObject({
      operation: 'GET /products',
      service: 'api',
      confidence: 'likely',
      severity: 'high',
      location: {
        route: 'GET /products',
        statement: 'SELECT count(*), avg(rating) FROM reviews WHERE product_id = ?',
        function: 'ratingOf',
      },
    })
    // 23 of 24 calls of 3 ms go, the one that stays takes a little longer.
    expect(finding!.saving!.perRequestMs.value).toBeGreaterThan(60)
    expect(finding!.saving!.perRequestMs.value).toBeLessThan(76)
    expect(finding!.traceIds.length).toBeGreaterThanOrEqual(3)
    await storeFindings(bench.store, report)
    const again = await storedFindings(bench.store, { fromMs: 0, toMs: Date.now() + 1000 })
    expect(again.map(({ id }) => id)).toContain(finding!.id)
  })

  test('one call in the loop that was interrupted saves with the others, it is not what a batch takes', async () => {
    const traffic = new Traffic(60)
    traffic.add(60, 5, () => {
      const made = list(traffic, 24)
      const children = oneAfterAnother(
        made.children!.map((child, i) => (i === 12 ? { ...child, durationMs: 43 } : child)),
        2,
      )
      return serve('GET /products', endOf(children) + 2, children)
    })
    const [finding] = sure(await bench.analyse(traffic.traces))
    // 22 calls of 3 ms and one of 43, less what the call that stays grows by.
    expect(finding!.saving!.perRequestMs.value).toBeGreaterThan(100)
    expect(finding!.saving!.perRequestMs.value).toBeLessThan(116)
  })

  test('N that varies with the data is proved by the slope alone with parameters', async () => {
    const traffic = new Traffic(2)
    traffic.add(80, 5, () => list(traffic, traffic.whole(3, 60), { site: false, rows: false }))
    const report = await bench.analyse(traffic.traces)
    expect(ids(report)).toEqual(['n-plus-one'])
    expect(sure(report)[0]!.evidence.find(({ label }) => label.includes('slope'))?.value).toBeGreaterThan(2.8)
  })

  test('a constant N without a source is a fixed fan-out and stays hidden', async () => {
    const traffic = new Traffic(3)
    traffic.add(60, 5, () => list(traffic, 12, { rows: false }))
    const report = await bench.analyse(traffic.traces)
    expect(ids(report)).toEqual([])
    expect(report.findings[0]).toMatchObject({ detector: 'n-plus-one', confidence: 'possible' })
    expect(report.findings[0]!.title).toContain('Fixed fan-out')
  })

  test('just below and just above the threshold: 4 calls are none, 10 calls of 3 ms are one', async () => {
    const few = new Traffic(4)
    few.add(40, 4, () => list(few, 4, { callMs: 20 }))
    expect(ids(await bench.analyse(few.traces))).not.toContain('n-plus-one')
    const enough = new Traffic(5)
    enough.add(40, 4, () => list(enough, 10, { callMs: 4 }))
    expect(ids(await bench.analyse(enough.traces))).toEqual(['n-plus-one'])
  })

  test.each([
    [
      'pages of a list',
      () => 'SELECT * FROM reviews WHERE id > $1 ORDER BY id LIMIT 100',
      (i: number) => ({ parameters: [i], rows: 100 }),
    ],
    ['a cursor', () => 'FETCH 100 FROM c1', (i: number) => ({ parameters: [i], rows: 100 })],
    ['a retry with the same parameters', () => ratingText, () => ({ parameters: [7] })],
    ['pings', () => 'SELECT 1', (i: number) => ({ parameters: [i] })],
    ['savepoints', () => 'SAVEPOINT s', (i: number) => ({ parameters: [i] })],
  ])('%s are none', async (_, text, more) => {
    const traffic = new Traffic(6)
    traffic.add(40, 4, () => {
      const calls = oneAfterAnother(
        Array.from({ length: traffic.whole(10, 40) }, (_, i) =>
          query(text(), 0, traffic.around(4), { site: 'work', ...more(i) }),
        ),
        1,
      )
      return serve('GET /export', endOf(calls) + 1, calls)
    })
    expect(ids(await bench.analyse(traffic.traces))).toEqual([])
  })

  test('polling is none', async () => {
    const traffic = new Traffic(7)
    traffic.add(40, 4, () => {
      const calls = oneAfterAnother(
        Array.from({ length: 8 }, (_, i) =>
          query('SELECT state FROM jobs WHERE id = $1', 0, 4, { parameters: [i], site: 'poll' }),
        ),
        1,
        1500,
      )
      return serve('GET /wait', endOf(calls) + 1, calls)
    })
    expect(ids(await bench.analyse(traffic.traces))).toEqual([])
  })
})

describe('slow-query', () => {
  const salesText =
    "SELECT sum(quantity) FROM order_lines WHERE product_id = $1 AND ordered_at > timestamptz '?' - interval '?'"
  const product = (traffic: Traffic, salesMs: number) => {
    const first = query('SELECT * FROM products WHERE id = $1', 1, traffic.around(3), { parameters: [1] })
    const rest = [
      query(salesText, endOf([first]) + 0.2, traffic.around(salesMs), {
        parameters: [traffic.whole(1, 1e6)],
      }),
      query(
        'SELECT r.* FROM reviews r WHERE r.product_id = $1 ORDER BY r.created_at DESC LIMIT $2',
        endOf([first]) + 0.2,
        traffic.around(4),
        { rows: 10 },
      ),
      query(
        'SELECT rating, count(*) FROM reviews WHERE product_id = $1 GROUP BY rating',
        endOf([first]) + 0.2,
        traffic.around(3),
        { rows: 5 },
      ),
    ]
    return serve('GET /products/:id', endOf([first, ...rest]) + 2, [first, ...rest])
  }

  test('a scan among fast statements is found, with the index that it needs', async () => {
    const traffic = new Traffic(10)
    traffic.add(60, 5, () => product(traffic, 120))
    const report = await bench.analyse(traffic.traces)
    expect(ids(report)).toEqual(['slow-query'])
    const [finding] = sure(report)
    expect(finding!.fix).toContain('CREATE INDEX CONCURRENTLY ON order_lines (product_id, ordered_at)')
    expect(finding!.location.statement).toContain('FROM order_lines WHERE product_id = ?')
    expect(finding!.operation).toBe('GET /products/:id')
    // Without the fault the request waits for the slowest of the other three, 4 ms.
    expect(finding!.saving!.perRequestMs.value / 116).toBeGreaterThan(0.9)
    expect(finding!.saving!.perRequestMs.value / 116).toBeLessThan(1.1)
  })

  test('fast statements are none; a database that is far away is none', async () => {
    const near = new Traffic(11)
    near.add(60, 5, () => product(near, 6))
    expect(ids(await bench.analyse(near.traces))).toEqual([])
    const far = new Traffic(12)
    far.add(60, 5, () => {
      const calls = oneAfterAnother(
        [1, 2, 3].map((i) =>
          query(`SELECT * FROM t${i} WHERE a = $1`, 0, far.around(40), { parameters: [far.whole(1, 99), i] }),
        ),
        1,
        8,
      )
      return serve('GET /far', endOf(calls) + 1, calls)
    })
    expect(ids(await bench.analyse(far.traces))).toEqual([])
  })

  test('one slow outlier among 60 is none', async () => {
    const traffic = new Traffic(13)
    traffic.add(60, 5, (i) => product(traffic, i === 30 ? 900 : 4))
    expect(ids(await bench.analyse(traffic.traces))).toEqual([])
  })

  test('what can be pasted for a write does not run it', async () => {
    const traffic = new Traffic(15)
    traffic.add(60, 5, () => {
      const calls = oneAfterAnother(
        [
          query('SELECT * FROM carts WHERE id = $1', 0, traffic.around(3), { parameters: [1] }),
          query('DELETE FROM cart_lines WHERE product_id = $1', 0, traffic.around(150), { parameters: [2] }),
        ],
        1,
      )
      return serve('POST /carts/:id/empty', endOf(calls) + 1, calls)
    })
    const { findings } = await bench.analyse(traffic.traces)
    const finding = findings.find(({ detector }) => detector === 'slow-query')
    expect(finding).toMatchObject({ confidence: 'possible' })
    expect(finding!.fix).toContain('\nEXPLAIN DELETE FROM cart_lines')
    expect(finding!.fix).not.toContain('ANALYZE')
  })

  test('DDL and migrations are none', async () => {
    const traffic = new Traffic(14)
    traffic.add(30, 4, (i) =>
      serve('POST /migrate', 700, [
        query(`ALTER TABLE t${i} ADD COLUMN x int`, 1, 690),
        query('SELECT a FROM b WHERE c = $1', 692, 2),
      ]),
    )
    expect(ids(await bench.analyse(traffic.traces))).toEqual([])
  })
})

describe('serialized-calls', () => {
  const carriers = ['swift', 'postal', 'harbor']
  const rates = (traffic: Traffic, order: readonly string[], together = false) => {
    const first = query('SELECT * FROM products WHERE id = $1', 1, traffic.around(4), { parameters: [1] })
    const quotes = order.map((name) =>
      call(
        `http://partner:9000/carriers/${name}/rates?weight=?&country=?`,
        endOf([first]) + 0.3,
        traffic.around(60),
      ),
    )
    const placed = together ? quotes : oneAfterAnother(quotes, endOf([first]) + 0.3)
    return serve('GET /products/:id', endOf(placed) + 2, [first, ...placed], '/products/7')
  }
  const rotated = (i: number) => [...carriers.slice(i % 3), ...carriers.slice(0, i % 3)]

  test('calls in varying order one after another are found, and the saving is what parallel calls take less', async () => {
    const traffic = new Traffic(20)
    traffic.add(60, 5, (i) => rates(traffic, rotated(i)))
    const report = await bench.analyse(traffic.traces)
    expect(ids(report)).toEqual(['serialized-calls'])
    const [finding] = sure(report)
    expect(finding).toMatchObject({ confidence: 'likely', operation: 'GET /products/:id' })
    expect(finding!.fix).toContain('GET /carriers/swift/rates')

    const fixed = new Traffic(21)
    fixed.add(60, 5, (i) => rates(fixed, rotated(i), true))
    const median = (traces: Traffic) =>
      traces.traces.map(({ root }) => root.durationMs).sort((a, b) => a - b)[30]!
    const drop = median(traffic) - median(fixed)
    expect(finding!.saving!.perRequestMs.value / drop).toBeGreaterThan(0.8)
    expect(finding!.saving!.perRequestMs.value / drop).toBeLessThan(1.2)
    expect(ids(await bench.analyse(fixed.traces))).toEqual([])
  })

  test('the same calls together in another operation are a counterfactual: proven', async () => {
    const traffic = new Traffic(22)
    traffic.add(40, 5, () => rates(traffic, carriers))
    traffic.add(20, 5, () => {
      const quotes = carriers.map((name) =>
        call(`http://partner:9000/carriers/${name}/rates?weight=?`, 1, traffic.around(60)),
      )
      return serve('GET /rates', endOf(quotes) + 1, quotes)
    })
    const report = await bench.analyse(traffic.traces)
    expect(sure(report)).toMatchObject([
      { detector: 'serialized-calls', confidence: 'proven', operation: 'GET /products/:id' },
    ])
  })

  test('calls always in one order may depend on each other: possible at most', async () => {
    const traffic = new Traffic(23)
    traffic.add(60, 5, () => rates(traffic, carriers))
    const report = await bench.analyse(traffic.traces)
    expect(ids(report)).toEqual([])
    expect(report.findings).toMatchObject([{ detector: 'serialized-calls', confidence: 'possible' }])
  })

  test('writes, and calls held back by a full pool, are none', async () => {
    const writes = new Traffic(24)
    writes.add(40, 5, (i) => {
      const targets = i % 2 === 0 ? ['a', 'b'] : ['b', 'a']
      const calls = oneAfterAnother(
        targets.map((name) => query(`INSERT INTO ${name} (x) VALUES ($1)`, 0, writes.around(90))),
        1,
      )
      return serve('POST /orders', endOf(calls) + 1, calls)
    })
    expect(ids(await bench.analyse(writes.traces))).toEqual([])
    const pool = new Traffic(25)
    pool.add(40, 5, (i) => {
      const targets = i % 2 === 0 ? ['a', 'b', 'c'] : ['c', 'b', 'a']
      const calls = oneAfterAnother(
        targets.map((name) =>
          query(`SELECT x FROM ${name} WHERE y = $1`, 0, pool.around(60), { parameters: [i] }),
        ),
        1,
        0.2,
      )
      const waits = calls.slice(1).map(
        (later): MadeSpan => ({
          name: 'pg-pool.connect',
          kind: 'Client',
          startMs: 1,
          durationMs: later.startMs - 1.1,
          attributes: { 'db.system.name': 'postgresql' },
        }),
      )
      return serve('GET /report', endOf(calls) + 1, [...calls, ...waits])
    })
    expect(ids(await bench.analyse(pool.traces)).filter((id) => id === 'serialized-calls')).toEqual([])
  })
})
