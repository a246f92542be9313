import { type Detector, type Hint, type Judgement, type Observation, observe } from '../detector.ts'
import type { Evidence, Interval } from '../finding.ts'
import { inWindow, isWarm, rows } from '../rows.ts'
import { describeStatement, indexColumns, type StatementDescription } from '../sql/describe.ts'
import { dialectOf, explain } from '../sql/dialect.ts'
import { normaliseStatement } from '../sql/normalise.ts'
import { meanInterval, median, medianInterval, quantile, quantileInterval } from '../statistics/intervals.ts'
import { pathTimeMs } from '../trace/critical-path.ts'
import type { Entry } from '../trace/entry.ts'
import { type Edit, retime } from '../trace/retime.ts'
import { callSiteOf, isConnectSpan, isDatabaseSpan, statementOf } from '../trace/span-target.ts'
import type { TraceNode } from '../trace/trace-tree.ts'
import type { TraceSample } from '../trace-sample.ts'
import type { AnalysisWindow } from '../window.ts'

const minCalls = 20
const slowP95Ms = 500
const slowMeanMs = 20
const minCallsPerHour = 100
const minPathShareRatio = 0.05
/** Even its fastest decile takes this many times as long as other statements on the same database. */
const peerRatio = 5
/** Fastest decile over median: from here on the statement takes about the same whatever the parameters, as a scan does. */
const flatRatio = 0.5
/** More rows than this are work that no index takes away. */
const maxRowsForIndex = 1_000
/** Durations of one statement that are read: its fair sample. */
const sampleSize = 1_000

/**
 * Slow query: one statement that takes long by itself.
 * Rule         n >= 20 and (lower 95 % bound of p95 >= 500 ms, or mean >= 20 ms with >= 100 calls/h); its share of the request's
 *              critical path >= 5 %. 20 ms and 100 calls are PgHero's defaults.
 * Likely       it filters by a column that an index could serve and returns few rows, and even its fastest decile takes five
 *              times as long as the other statements on that database (so a busy or distant database is no reason).
 * Saving       re-timed with every call at the target: the other statements' median time where an index can serve it, else its own
 *              fastest decile. Pessimistic.
 * Fingerprint  database system, statement.
 * Guards       DDL, transactions, cursors, session statements; writes and locking reads (they may wait for locks); truncated text.
 */
export const slowQuery: Detector = { id: 'slow-query', needs: ['db.query.text'], candidates, confirm }

interface StatementRow {
  readonly service: string
  readonly system: string
  readonly statement: string
  readonly n: number
  readonly calls: [ms: number, weight: number, returnedRows: number, traceId: string, address: string][]
}

/** One statement of one service, as the window saw it. */
interface Statement {
  readonly service: string
  readonly system: string
  readonly text: string
  readonly description: StatementDescription
  readonly n: number
  readonly durationsMs: readonly number[]
  readonly meanMs: number
  readonly returnedRows: number
  readonly callsPerHour: number
  readonly traceIds: readonly string[]
}

async function candidates(window: AnalysisWindow): Promise<Hint[]> {
  const statements = (await statementsOf(window)).filter(isSlow)
  return statements.map(({ service, traceIds }) => ({
    detector: 'slow-query',
    service,
    traceIds: [...new Set(traceIds)].slice(0, 40),
  }))
}

async function confirm(
  _hints: readonly Hint[],
  sample: TraceSample,
  window: AnalysisWindow,
): Promise<Judgement[]> {
  const statements = await statementsOf(window)
  const judgements: Judgement[] = []
  for (const statement of statements.filter(isSlow)) {
    const peers = statements.filter(
      (peer) =>
        peer.service === statement.service &&
        peer.system === statement.system &&
        peer !== statement &&
        peer.description.kind === 'read' &&
        peer.durationsMs.length >= 5,
    )
    judgements.push(...judge(statement, peers, sample))
  }
  return judgements
}

/** Every statement of the window with a fair sample of its calls, merged by our own normal form. */
async function statementsOf(window: AnalysisWindow): Promise<Statement[]> {
  const found = await rows<StatementRow>(
    window.store,
    `SELECT ServiceName AS service, DbSystem AS system, any(SpanAttributes['db.query.text']) AS statement, toFloat64(count()) AS n,
       groupArraySample({sampleSize: UInt32}, 7)((
         Duration / 1e6, SampleWeight, toFloat64OrDefault(SpanAttributes['db.response.returned_rows'], -1.), TraceId,
         SpanAttributes['server.address'])) AS calls
     FROM (
       SELECT ServiceName, DbSystem, DbStatement, SpanAttributes, Duration, SampleWeight, TraceId, SpanId
       FROM otel_traces
       WHERE ${inWindow} AND SpanKind = 'Client' AND DbStatement != '' AND StatusCode != 'Error' AND ${isWarm}
       LIMIT 1 BY TraceId, SpanId
     )
     GROUP BY ServiceName, DbSystem, DbStatement
     ORDER BY sum(Duration) DESC LIMIT 400`,
    { ...window.parameters, sampleSize },
  )
  const merged = new Map<string, StatementRow[]>()
  for (const row of found) {
    const key = JSON.stringify([row.service, row.system, normaliseStatement(row.statement)])
    const known = merged.get(key)
    if (known === undefined) merged.set(key, [row])
    else known.push(row)
  }
  return [...merged.values()].map((group) => statementFrom(group, window))
}

function statementFrom(group: readonly StatementRow[], window: AnalysisWindow): Statement {
  const { service, system, statement } = group[0]!
  const calls = group.flatMap((row) => row.calls)
  const n = group.reduce((sum, row) => sum + row.n, 0)
  const weights = calls.reduce((sum, [, weight]) => sum + weight, 0)
  const known = calls.map(([, , returned]) => returned).filter((returned) => returned >= 0)
  return {
    service,
    system,
    text: normaliseStatement(statement),
    description: describeStatement(statement),
    n,
    durationsMs: calls.map(([ms]) => ms),
    meanMs: calls.reduce((sum, [ms, weight]) => sum + ms * weight, 0) / weights,
    returnedRows: known.length === 0 ? Number.NaN : median(known),
    callsPerHour: (n * (weights / calls.length) * 3600) / window.observedSec,
    traceIds: calls.map(([, , , traceId]) => traceId),
  }
}

function isSlow(statement: Statement): boolean {
  if (statement.n < minCalls) return false
  if (quantileInterval(statement.durationsMs, 0.95).low >= slowP95Ms) return true
  return statement.meanMs >= slowMeanMs && statement.callsPerHour >= minCallsPerHour
}

function judge(statement: Statement, peers: readonly Statement[], sample: TraceSample): Judgement[] {
  const byOperation = new Map<string, { entry: Entry; calls: TraceNode[] }[]>()
  for (const entry of sample.entries) {
    if (entry.service !== statement.service) continue
    const calls = entry.nodes.filter(
      ({ span }) =>
        isDatabaseSpan(span) &&
        !isConnectSpan(span) &&
        span.service === entry.service &&
        statementOf(span) === statement.text,
    )
    if (calls.length === 0) continue
    const known = byOperation.get(entry.operation)
    if (known === undefined) byOperation.set(entry.operation, [{ entry, calls }])
    else known.push({ entry, calls })
  }
  return [...byOperation].flatMap(
    ([operation, requests]) => judgeOperation(statement, operation, requests, peers) ?? [],
  )
}

function judgeOperation(
  statement: Statement,
  operation: string,
  requests: readonly { readonly entry: Entry; readonly calls: readonly TraceNode[] }[],
  peers: readonly Statement[],
): Judgement | null {
  const { service, system, text, description } = statement
  const title = `Slow query: ${description.verb} ${description.tables.join(', ')}, ${median(statement.durationsMs).toFixed(0)} ms`
  const rejected = (rejectedBy: string): Judgement => ({
    detector: 'slow-query',
    service,
    operation,
    title,
    traces: new Set(requests.map(({ entry }) => entry.trace.tree.traceId)).size,
    minutes: new Set(requests.map(({ entry }) => entry.minute)).size,
    rejectedBy,
  })
  const shares = requests.map(({ entry, calls }) => {
    const mine = new Set(calls)
    return pathTimeMs(entry.path, (node) => mine.has(node)) / Math.max(entry.durationMs, 1e-6)
  })
  if (median(shares) < minPathShareRatio) return null
  if (description.kind === 'ddl') return rejected('DDL or maintenance')
  if (description.kind === 'control') return rejected('transaction, cursor or session statement')
  if (description.isTruncated) return rejected('truncated statement')

  const fastestMs = quantile(statement.durationsMs, 0.1)
  const typicalMs = median(statement.durationsMs)
  const peersMs = peers.length === 0 ? undefined : median(peers.map((peer) => median(peer.durationsMs)))
  const index = indexColumns(description)
  const fewRows = !(statement.returnedRows > maxRowsForIndex)
  const isIndexable = index !== null && fewRows && description.kind === 'read'
  const isSlowBesidePeers = peersMs !== undefined && fastestMs >= peerRatio * peersMs
  const isFlat = fastestMs >= flatRatio * typicalMs
  const targetMs = isIndexable && isSlowBesidePeers ? Math.min(fastestMs, peersMs) : fastestMs
  const signals = [
    `the statement takes ${typicalMs.toFixed(0)} ms (median of ${statement.n} calls) and ${(100 * median(shares)).toFixed(0)} % of the request's critical path`,
    ...(isIndexable && isSlowBesidePeers
      ? [
          `even its fastest decile (${fastestMs.toFixed(0)} ms) is ${(fastestMs / peersMs).toFixed(0)} times the other statements on that database (${peersMs.toFixed(1)} ms)`,
        ]
      : []),
    ...(isIndexable && isSlowBesidePeers && isFlat
      ? ['it takes about the same whatever the parameters, as a scan of the whole table does']
      : []),
  ]
  const observations = requests.map(({ entry, calls }) => observationOf(entry, calls, targetMs))
  return {
    detector: 'slow-query',
    service,
    operation,
    place: '',
    target: `${system}|${text}`,
    title,
    location: { route: operation, statement: text, ...callSiteOf(requests[0]!.calls[0]!.span) },
    observations,
    minTraces: 3,
    signals,
    ...(description.kind === 'write' && { atMost: 'possible' as const }),
    evidence: evidenceOf(statement, shares, targetMs, peersMs),
    fix: fixOf(statement, index, isIndexable),
    guards: [
      'No DDL, transaction, cursor or truncated statement.',
      description.kind === 'write'
        ? 'A write may wait for locks.'
        : 'A plain read, which waits for no row lock.',
      isSlowBesidePeers
        ? 'The database and the way to it are not slow in general: other statements are fast in the same window.'
        : 'Not compared with other statements on the same database: there are none, or they are about as slow.',
      targetMs < fastestMs
        ? 'The saving takes it that an index makes it as fast as the other statements; EXPLAIN tells. Re-timed, pessimistic.'
        : 'The saving takes it that every call can be as fast as its own fastest tenth. Re-timed, pessimistic.',
    ],
  }
}

function observationOf(entry: Entry, calls: readonly TraceNode[], targetMs: number): Observation {
  const edits: Edit[] = calls.map(({ span }) => ({ kind: 'shorten', spanId: span.spanId, toMs: targetMs }))
  return observe(entry, retime(entry.node, edits).savedMs, edits)
}

function evidenceOf(
  statement: Statement,
  shares: readonly number[],
  targetMs: number,
  peersMs: number | undefined,
): Evidence[] {
  const { n, durationsMs } = statement
  return [
    { label: 'median time of a call', unit: 'ms', n, ...bounded(medianInterval(durationsMs)) },
    { label: 'mean time of a call', unit: 'ms', n, ...bounded(meanInterval(durationsMs)) },
    { label: 'p95 time of a call', unit: 'ms', n, ...bounded(quantileInterval(durationsMs, 0.95)) },
    { label: 'calls per hour', value: statement.callsPerHour, unit: '{call}/h', n },
    {
      label: "share of the request's critical path",
      unit: '1',
      n: shares.length,
      ...bounded(medianInterval(shares)),
    },
    { label: 'time that it could take', value: targetMs, unit: 'ms', n },
    ...(Number.isFinite(statement.returnedRows)
      ? [{ label: 'rows returned', value: statement.returnedRows, unit: '{row}', n }]
      : []),
    ...(peersMs === undefined
      ? []
      : [{ label: 'median time of other statements on this database', value: peersMs, unit: 'ms', n }]),
  ]
}

const bounded = ({ value, low, high }: Interval) => ({
  value,
  ...(Number.isFinite(low) && { low }),
  ...(Number.isFinite(high) && { high }),
})

/** What can be pasted stands on lines of its own; a statement is stored without its values. */
function fixOf(
  { system, text, description }: Statement,
  index: ReturnType<typeof indexColumns>,
  isIndexable: boolean,
): string {
  const { createIndex, analyze } = dialectOf(system)
  const values = /\?|\$\d/.test(text) ? ', with values of yours for the parameters' : ''
  const plan = `${description.kind === 'read' ? analyze(text) : explain(text)};`
  const limit =
    description.hasLimit || description.kind !== 'read' ? '' : '\nIf the caller needs few rows, add a LIMIT.'
  if (index === null)
    return `Look for scans and sorts in the plan${values}; no column with an index to offer was found in its conditions:\n${plan}${limit}`
  const offer = isIndexable ? 'If the plan scans the table, add an index' : 'An index may serve it'
  return `${offer}:\n${createIndex(index.table, index.columns)};\nThe plan${values}:\n${plan}${isIndexable ? '' : limit}`
}
