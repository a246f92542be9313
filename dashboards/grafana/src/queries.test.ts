import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import { openStore, type Store } from '@hotspan/collector'
import { attr } from '@hotspan/otlp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { alertRules } from './alert-rules.ts'
import { type ClickHouseQuery, isClickHouseQuery } from './clickhouse-query.ts'
import { panelsOf } from './lint.ts'
import { expandMacros, type VariableValue } from './macros.ts'
import { checkColumns, type ResultColumn } from './result-check.ts'
import { serviceDashboard } from './service-dashboard.ts'

/** Every query of the dashboard and of the alerts runs in the real embedded engine, on a workload whose numbers are known. */
const MINUTE = 60_000
const startMs = Date.UTC(2026, 10, 21, 10)
const trace = (n: number) => n.toString(16).padStart(32, '0')
let spanCount = 0
const nextSpan = () => (++spanCount).toString(16).padStart(16, '0')

interface SpanRow {
  Timestamp: string
  TraceId: string
  SpanId: string
  ParentSpanId: string
  TraceState: string
  SpanName: string
  SpanKind: string
  ServiceName: string
  SpanAttributes: Record<string, string>
  Duration: number
  StatusCode: string
}

function span(traceId: string, parent: string, atMs: number, ms: number, rest: Partial<SpanRow>): SpanRow {
  return {
    Timestamp: new Date(atMs).toISOString().replace('T', ' ').replace('Z', ''),
    TraceId: traceId,
    SpanId: nextSpan(),
    ParentSpanId: parent,
    TraceState: '',
    SpanName: 'work',
    SpanKind: 'Internal',
    ServiceName: 'shop-api',
    SpanAttributes: {},
    Duration: ms * 1e6,
    StatusCode: 'Unset',
    ...rest,
  }
}

const request = (traceId: string, route: string, atMs: number, ms: number, rest: Partial<SpanRow> = {}) =>
  span(traceId, '', atMs, ms, {
    SpanName: `GET ${route}`,
    SpanKind: 'Server',
    SpanAttributes: { [attr.httpRoute]: route, [attr.httpRequestMethod]: 'GET' },
    ...rest,
  })

const statement = (parent: SpanRow, text: string, ms: number) =>
  span(parent.TraceId, parent.SpanId, Date.parse(`${parent.Timestamp}Z`) + 1, ms, {
    SpanName: 'SELECT',
    SpanKind: 'Client',
    SpanAttributes: { [attr.dbSystemName]: 'postgresql', [attr.dbQueryText]: text },
  })

/**
 * 11 minutes of one page load each, one trace per load: `GET /products` (100 ms) with one list query and 37 review queries
 * under a pool span, and in the same trace `GET /cart` (20 ms) with one query, failed in every 11th load. One load is
 * sampled at one half (weight 2). Every span of minute 3 is stored twice.
 */
function workload(): SpanRow[] {
  const rows: SpanRow[] = []
  for (let minute = 0; minute < 11; minute++) {
    const at = startMs + minute * MINUTE
    const state = { TraceState: minute === 5 ? 'ot=th:8' : '' }
    const products = request(trace(minute + 1), '/products', at, 100, state)
    const pool = span(products.TraceId, products.SpanId, at + 1, 90, { SpanName: 'pool' })
    const cart = request(trace(minute + 1), '/cart', at + 2, 20, {
      ...state,
      StatusCode: minute === 10 ? 'Error' : 'Unset',
    })
    const load = [
      products,
      pool,
      cart,
      statement(products, 'SELECT id FROM products LIMIT 40', 4),
      statement(cart, 'SELECT * FROM cart WHERE id = 7', 3),
    ]
    for (let i = 0; i < 37; i++)
      load.push(statement(pool, `SELECT * FROM reviews WHERE product_id = ${i}`, 2))
    rows.push(...load, ...(minute === 3 ? load : []))
  }
  const stall = {
    SpanName: 'event_loop.stall',
    SpanAttributes: { [attr.codeFunctionName]: 'score', [attr.codeFilePath]: 'src/score.ts' },
  }
  rows.push(span(trace(1), '', startMs, 600, stall), span(trace(2), '', startMs + MINUTE, 300, stall))
  rows.push(request(trace(99), '/other', startMs, 5000, { ServiceName: 'other-api' }))
  return rows
}

function logs() {
  const vital = (name: string, value: number) => ({
    Timestamp: `2026-11-21 10:0${value % 7}:00`,
    ServiceName: 'shop-web',
    EventName: attr.eventBrowserWebVital,
    LogAttributes: {
      [attr.browserWebVitalName]: name,
      [attr.browserWebVitalValue]: String(name === 'CLS' ? value / 100 : value * 100),
    },
  })
  return ['LCP', 'INP', 'CLS', 'FCP', 'TTFB'].flatMap((name) =>
    [1, 2, 3, 4, 5].map((value) => vital(name, value)),
  )
}

function findings() {
  const finding = (id: string, at: string, savingMs: number | null, rest: object = {}) => ({
    id,
    fingerprint: id,
    detector: 'n-plus-one',
    generated_at: at,
    json: JSON.stringify({
      kind: 'finding',
      severity: 'high',
      confidence: 'likely',
      service: 'shop-api',
      operation: 'GET /products',
      title: 'N+1 query',
      fix: 'load all reviews with one IN list',
      saving:
        savingMs === null ? null : { perRequestMs: { value: savingMs, low: 1, high: 2 }, shareRatio: 0.7 },
      ...rest,
    }),
  })
  return [
    finding('HS-000000000001', '2026-11-21 09:00:00', 10),
    finding('HS-000000000001', '2026-11-21 10:05:00', 70),
    finding('HS-000000000002', '2026-11-21 10:05:00', null, { service: 'shop-web' }),
    finding('HS-000000000003', '2026-11-21 10:05:00', 5, { confidence: 'possible' }),
    finding('HS-000000000004', '2026-11-21 10:05:00', 5, { service: 'other-api' }),
    finding('HS-000000000005', '2026-11-21 10:05:00', null, { kind: 'cannot-judge' }),
  ]
}

let dataDir: string
let store: Store

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'hotspan-dashboards-'))
  store = await openStore({ dataDir })
  const insert = (table: string, values: object[]) =>
    store.client.insert({ table, values, format: 'JSONEachRow' })
  await insert('otel_traces', workload())
  await insert('otel_logs', logs())
  await insert('hotspan_findings', findings())
}, 120_000)

afterAll(async () => {
  await store?.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const everyRoute: VariableValue = { allOf: ['GET /products', 'GET /cart'] }

interface Answer {
  readonly meta: ResultColumn[]
  readonly data: Record<string, number | string>[]
}

async function run(sql: string, route: VariableValue = everyRoute): Promise<Answer> {
  const query = expandMacros(sql, {
    fromMs: startMs,
    toMs: startMs + 11 * MINUTE,
    intervalSec: 60,
    variables: {
      datasource: 'any',
      database: store.database,
      service: 'shop-api',
      frontend: 'shop-web',
      route,
    },
  })
  const answer = await store.client.query({ query, format: 'JSON' })
  const { meta, data } = await answer.json<Record<string, number | string>>()
  const columns = meta as ResultColumn[]
  // The HTTP interface writes 64-bit integers as text.
  const whole = columns.filter(({ type }) => /^U?Int64$/.test(type)).map(({ name }) => name)
  for (const row of data) for (const name of whole) row[name] = Number(row[name])
  return { meta: columns, data }
}

const board = serviceDashboard()
const panels = panelsOf(board)
const queryOf = (panel: Panel): ClickHouseQuery => panel.targets!.find(isClickHouseQuery)!
const panelTitled = (title: string): Panel => panels.find((panel) => panel.title === title)!
const rowsOf = async (title: string, route?: VariableValue) =>
  (await run(queryOf(panelTitled(title)).rawSql, route)).data

/** What keeps a panel from drawing on this data; empty when it draws. */
async function problemsOf(panel: Panel, sql: string): Promise<string[]> {
  try {
    const { meta, data } = await run(sql)
    const empty = data.length === 0 ? [`panel "${panel.title}" is empty`] : []
    const wild = data
      .flatMap((row) => Object.values(row))
      .some((value) => value === null || value === 'nan' || value === 'inf')
    return [
      ...checkColumns(panel, meta),
      ...empty,
      ...(wild ? [`panel "${panel.title}" shows a number that is none`] : []),
    ]
  } catch (error) {
    return [String(error)]
  }
}

describe('every query runs in the engine and fits its panel', () => {
  test.each(panels.map((panel) => [panel.title!, panel] as const))('%s', async (_, panel) => {
    for (const target of panel.targets ?? []) {
      expect(isClickHouseQuery(target)).toBe(true)
      expect(await problemsOf(panel, (target as ClickHouseQuery).rawSql)).toEqual([])
    }
  })

  test('the variables offer what is in the store', async () => {
    const offered: Record<string, (number | string)[]> = {}
    for (const { name, query } of board.templating.list ?? []) {
      if (typeof query !== 'object') continue
      offered[name] = (await run((query as { rawSql: string }).rawSql)).data.map(
        (row) => Object.values(row)[0]!,
      )
    }
    expect(offered).toEqual({
      database: [store.database],
      service: ['other-api', 'shop-api'],
      route: ['GET /cart', 'GET /products'],
      frontend: ['shop-web'],
    })
  })

  test('a broken column name, alias or unit is noticed in every panel', async () => {
    for (const panel of panels) {
      const { rawSql } = queryOf(panel)
      const broken = rawSql.replace(
        /\b(HttpRoute|DbStatement|SpanAttributes|LogAttributes|generated_at)\b/,
        '$1Gone',
      )
      expect(broken).not.toBe(rawSql)
      expect((await problemsOf(panel, broken)).join('\n'), panel.title).toMatch(
        /Unknown expression|Missing columns|UNKNOWN_IDENTIFIER/i,
      )
    }
    const series = panelTitled('Error ratio')
    expect(
      await problemsOf(
        series,
        queryOf(series).rawSql.replaceAll(' AS time', ' AS moment').replaceAll('BY time', 'BY moment'),
      ),
    ).toEqual(['panel "Error ratio": the first column is not a time named "time"'])
    const rows = panelTitled('Routes by total time')
    expect(await problemsOf(rows, queryOf(rows).rawSql.replace('q[1] AS p50', 'q[1] AS median'))).toEqual([
      'panel "Routes by total time": the numeric column "median" has no unit',
      'panel "Routes by total time": an override is for column "p50", which the query does not give',
    ])
  })
})

describe('the numbers are right', () => {
  test('requests: each once although stored twice, weighted by sampling, of this service and these routes only', async () => {
    const routes = await rowsOf('Routes by total time')
    expect(routes).toMatchObject([
      { route: 'GET /products', requests: 12, 'error ratio': 0, p50: 100, 'total time': 1200 },
      { route: 'GET /cart', requests: 12, p95: 20, 'total time': 240 },
    ])
    expect(routes[1]!['error ratio']).toBeCloseTo(1 / 12, 10)
    expect(routes[0]!.share).toBeCloseTo(1200 / 1440, 10)
    const rate = await rowsOf('Request rate by route')
    expect(rate).toHaveLength(22)
    expect(rate.reduce((sum, row) => sum + (row.rate as number) * 60, 0)).toBeCloseTo(24, 10)
    const errors = await rowsOf('Error ratio')
    expect(errors).toHaveLength(11)
    expect(errors.at(-1)!['error ratio']).toBe(0.5)
    const chosen = await rowsOf('Routes by total time', ['GET /cart'])
    expect(chosen.map(({ route }) => route)).toEqual(['GET /cart'])
  })

  test('37 equal statements of a request are seen as such, though two requests share the trace', async () => {
    expect(await rowsOf('Statements per request')).toMatchObject([
      {
        route: 'GET /products',
        statement: 'SELECT * FROM reviews WHERE product_id = ?',
        requests: 11,
        'median calls': 37,
        'most calls': 37,
        'time per request': 74,
      },
      { route: 'GET /products', statement: 'SELECT id FROM products LIMIT ?', 'most calls': 1 },
      { route: 'GET /cart', statement: 'SELECT * FROM cart WHERE id = ?', 'most calls': 1 },
    ])
    expect((await rowsOf('Statements by total time'))[0]).toMatchObject({
      system: 'postgresql',
      calls: 407,
      mean: 2,
      'total time': 814,
    })
  })

  test('event loop, vitals and findings', async () => {
    expect(await rowsOf('Functions that block the event loop')).toMatchObject([
      {
        function: 'score',
        file: 'src/score.ts',
        stalls: 2,
        'blocked time': 900,
        longest: 600,
        'longest trace': trace(1),
      },
    ])
    expect((await rowsOf('Event loop blocked')).map((row) => row['blocked share'])).toEqual([0.01, 0.005])
    expect(new Set((await rowsOf('Web vitals p75')).map(({ vital }) => vital))).toEqual(
      new Set(['LCP', 'INP', 'FCP', 'TTFB']),
    )
    expect((await rowsOf('Layout shift p75 (CLS)')).map(({ p75 }) => p75)).toEqual([
      0.01, 0.02, 0.03, 0.04, 0.05,
    ])
    expect((await rowsOf('Latest findings')).map((row) => [row.id, row['saves per request']])).toEqual([
      ['HS-000000000001', 70],
      ['HS-000000000002', 0],
    ])
  })

  test('alerts: one number for the watched service, none below the least number of requests', async () => {
    const sqlOf = (minRequests: number) =>
      alertRules({ service: 'shop-api', database: store.database, minRequests }).rules!.map(
        (rule) => (rule.data[0]!.model as ClickHouseQuery).rawSql,
      )
    const [latency, errors] = sqlOf(5)
    const p95 = await run(latency!)
    expect(p95.meta.map(({ type }) => type.replace(/LowCardinality\((.*)\)/, '$1'))).toEqual([
      'String',
      expect.stringMatching(/^Float/),
    ])
    expect(p95.data).toEqual([{ service: 'shop-api', p95_ms: 100 }])
    const ratio = (await run(errors!)).data
    expect(ratio).toHaveLength(1)
    expect(ratio[0]!.error_ratio).toBeCloseTo(1 / 24, 10)
    for (const sql of sqlOf(50)) expect((await run(sql)).data).toEqual([])
    await expect(run(latency!.replace('Duration', 'Durations'))).rejects.toThrow(/Durations/)
  })
})
