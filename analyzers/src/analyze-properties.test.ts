import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Finding, Report } from './finding.ts'
import { Bench } from './testing/bench.ts'
import { call, endOf, fromBrowser, oneAfterAnother, query, serve } from './testing/shapes.ts'
import { type MadeSpan, type MadeTrace, Traffic } from './testing/traffic.ts'

let bench: Bench
beforeAll(async () => {
  bench = await Bench.open()
}, 60_000)
afterAll(() => bench?.close())

const sure = (report: Report) => report.findings.filter((finding) => finding.confidence !== 'possible')

/** Two faults at once: a loop of queries and, in the same request, a scan. */
function faulty(traffic: Traffic): MadeSpan {
  const first = query('SELECT id FROM products LIMIT $1', 1, traffic.around(3), {
    rows: 20,
    parameters: [20],
  })
  const scan = query(
    'SELECT sum(q) FROM order_lines WHERE product_id = $1',
    endOf([first]) + 0.3,
    traffic.around(90),
    {
      parameters: [traffic.whole(1, 1e6)],
    },
  )
  const loop = oneAfterAnother(
    Array.from({ length: 20 }, (_, i) =>
      query('SELECT avg(rating) FROM reviews WHERE product_id = $1', 0, traffic.around(3), {
        parameters: [i, traffic.whole(1, 1e6)],
        site: 'ratingOf',
      }),
    ),
    endOf([scan]) + 0.5,
  )
  return serve('GET /products', endOf(loop) + 2, [first, scan, ...loop])
}

const sample = (seed = 100): MadeTrace[] =>
  new Traffic(seed).add(50, 5, faulty.bind(null, new Traffic(seed + 1))).traces

/** What must not change when only names, order or repetition do. */
const essence = (findings: readonly Finding[]) =>
  findings.map(({ id, detector, confidence, severity, operation, saving }) => ({
    id,
    detector,
    confidence,
    severity,
    operation,
    savingMs: Number(saving?.perRequestMs.value.toFixed(1)),
  }))

describe('metamorphic', () => {
  let base: Report
  beforeAll(async () => {
    base = await bench.analyse(sample())
  })

  test('both faults are found', () => {
    expect(
      sure(base)
        .map(({ detector }) => detector)
        .sort(),
    ).toEqual(['n-plus-one', 'slow-query'])
  })

  test('findings that overlap are not added up: the later one says what is left once the earlier one is fixed', async () => {
    const traffic = new Traffic(104)
    traffic.add(50, 5, () => {
      const first = query('SELECT id FROM products LIMIT $1', 1, traffic.around(3), {
        rows: 10,
        parameters: [10],
      })
      const loop = oneAfterAnother(
        Array.from({ length: 10 }, () =>
          query('SELECT avg(rating) FROM reviews WHERE product_id = $1', 0, traffic.around(60), {
            parameters: [traffic.whole(1, 1e6)],
            site: 'ratingOf',
          }),
        ),
        endOf([first]) + 0.5,
      )
      return serve('GET /products', endOf(loop) + 2, [first, ...loop])
    })
    const found = sure(await bench.analyse(traffic.traces))
    expect(found.map(({ detector }) => detector)).toEqual(['slow-query', 'n-plus-one'])
    const left = found[1]!.evidence.find(({ label }) => label.startsWith('saving left'))
    expect(left?.value).toBeLessThan(0.3 * found[1]!.saving!.perRequestMs.value)
  })

  test('order of arrival and new ids change nothing', async () => {
    expect(essence(sure(await bench.analyse([...sample()].reverse())))).toEqual(essence(sure(base)))
  })

  test('spans sent twice count once', async () => {
    expect(essence(sure(await bench.analyse(sample(), { repeat: 2 })))).toEqual(essence(sure(base)))
  })

  test('a shift in time changes nothing', async () => {
    expect(essence(sure(await bench.analyse(sample(), { shiftMs: 17 * 60_000 })))).toEqual(
      essence(sure(base)),
    )
  })

  test('sampling by a tenth weighs each request tenfold and leaves savings per request alone', async () => {
    // th: 2^56 * 0.9, so one in ten is kept.
    const weighed = await bench.analyse(
      sample().map((trace) => ({ ...trace, traceState: 'ot=th:e6666666666666' })),
    )
    expect(essence(sure(weighed)).map(({ savingMs }) => savingMs)).toEqual(
      essence(sure(base)).map(({ savingMs }) => savingMs),
    )
    const daily = (report: Report) => sure(report)[0]!.saving!.affectedRequestsPerDay
    expect(daily(weighed) / daily(base)).toBeCloseTo(10, 1)
    expect(weighed.coverage.spansOfUnknownWeight).toBe(0)
    expect(base.coverage.spansOfUnknownWeight).toBe(base.coverage.spans)
  })

  test('requests of other operations leave a finding where it is', async () => {
    const more = new Traffic(103).add(40, 5, () => serve('GET /static', 5, []))
    const report = await bench.analyse([...sample(), ...more.traces])
    expect(
      sure(report)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(
      sure(base)
        .map(({ id }) => id)
        .sort(),
    )
  })

  test('twice as slow, twice the saving', async () => {
    const slower = (span: MadeSpan): MadeSpan => ({
      ...span,
      startMs: span.startMs * 2,
      durationMs: span.durationMs * 2,
      children: (span.children ?? []).map(slower),
    })
    const report = await bench.analyse(sample().map((trace) => ({ ...trace, root: slower(trace.root) })))
    for (const finding of sure(base)) {
      const twice = report.findings.find(({ id }) => id === finding.id)!
      expect(twice.saving!.perRequestMs.value / finding.saving!.perRequestMs.value).toBeCloseTo(2, 1)
    }
  })
})

describe('evidence', () => {
  test('three traces in two minutes are needed; before that it is a candidate that says so', async () => {
    const few = new Traffic(110)
    few.add(2, 3, () => faulty(few))
    const report = await bench.analyse(few.traces)
    expect(report.findings).toEqual([])
    expect(report.candidates.find(({ detector }) => detector === 'n-plus-one')?.reason).toBe(
      'seen in 2 of 3 traces',
    )
    const short = new Traffic(111)
    short.add(40, 0.5, () => faulty(short))
    const second = await bench.analyse(short.traces)
    expect(second.findings).toEqual([])
    expect(second.candidates.find(({ detector }) => detector === 'n-plus-one')?.reason).toBe(
      'seen in 1 of 2 distinct minutes',
    )
  })

  test('whole traces from the browser are shown, not those whose root was lost', async () => {
    const traffic = new Traffic(112)
    traffic.add(30, 4, () => ({ ...fromBrowser(faulty(traffic)), isLost: true }))
    traffic.add(5, 4, () => fromBrowser(faulty(traffic)))
    const report = await bench.analyse(traffic.traces)
    for (const finding of sure(report)) expect(finding.traceIds).toHaveLength(5)
  })

  test('requests of the first minute of a process are left out', async () => {
    const traffic = new Traffic(113)
    traffic.add(40, 0.8, () => faulty(traffic))
    const early = traffic.traces.map((trace) => ({
      ...trace,
      root: withStart(trace.root, new Date(Date.now() + 86_400_000).toISOString()),
    }))
    const report = await bench.analyse(early)
    expect(report.findings).toEqual([])
    expect(report.candidates).toEqual([])
  })

  test('without db.query.text the report says what it cannot judge', async () => {
    const strip = (span: MadeSpan): MadeSpan => {
      const { 'db.query.text': _, ...attributes } = span.attributes ?? {}
      return { ...span, attributes, children: (span.children ?? []).map(strip) }
    }
    const report = await bench.analyse(sample().map((trace) => ({ ...trace, root: strip(trace.root) })))
    expect(report.findings).toEqual([])
    expect(report.cannotJudge).toMatchObject([
      { kind: 'cannot-judge', title: 'Cannot judge slow-query, n-plus-one: no db.query.text on service api' },
    ])
  })

  test('clocks that differ by 50 ms and errors of the caller do not disturb', async () => {
    const traffic = new Traffic(114)
    traffic.add(40, 5, (i) => {
      const visit = fromBrowser(faulty(traffic))
      const [fetched] = visit.children!
      const moved = move(fetched!.children![0]!, i % 2 === 0 ? 50 : -50)
      return { ...visit, children: [{ ...fetched!, children: [moved] }] }
    })
    expect(
      sure(await bench.analyse(traffic.traces))
        .map(({ detector }) => detector)
        .sort(),
    ).toEqual(['n-plus-one', 'slow-query'])
  })

  test('a hundred requests of fault-free services have nothing to say', async () => {
    const traffic = new Traffic(115)
    traffic.add(100, 5, () => {
      const user = query('SELECT * FROM users WHERE id = $1', 1, traffic.around(4), {
        parameters: [traffic.whole(1, 1e4)],
      })
      const next = endOf([user]) + 0.4
      const parallel = [
        call('http://stock/items/7/stock', next, traffic.around(30)),
        call('http://prices/items/7/price', next, traffic.around(45)),
      ]
      const last = query('INSERT INTO views (item) VALUES ($1)', endOf(parallel) + 0.4, traffic.around(3))
      return fromBrowser(serve('GET /items/:id', endOf([last]) + 2, [user, ...parallel, last], '/items/7'))
    })
    traffic.add(60, 5, () =>
      serve('POST /login', 45, [
        call('http://auth/token', 1, traffic.around(20), traffic.random() < 0.05),
        query('SELECT * FROM sessions WHERE token = $1', 25, 3),
      ]),
    )
    const report = await bench.analyse(traffic.traces)
    expect(sure(report)).toEqual([])
  })
})

const withStart = (span: MadeSpan, at: string): MadeSpan => ({
  ...span,
  resource: { 'process.creation.time': at },
  children: (span.children ?? []).map((child) => withStart(child, at)),
})

const move = (span: MadeSpan, byMs: number): MadeSpan => ({
  ...span,
  startMs: span.startMs + byMs,
  children: (span.children ?? []).map((child) => move(child, byMs)),
})
