import { analyze, type Finding, type Report } from '../../analyzers/dist/index.js'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { figure, median } from '../contract/spread.ts'
import { type Case, cases } from './cases.ts'
import { type Estimate, halfWidthRatio, hodgesLehmann } from './hodges-lehmann.ts'
import { type Datum, requestData, victimData } from './measured.ts'
import { interactionData, visitPair } from './renders.ts'
import { arrived, serverSpans, stalls } from './server-spans.ts'
import { type Databases, openDatabases, openPair, type Pair } from './shops.ts'
import { loadSlice, type Slice } from './slices.ts'

/** Requests of a process's first seconds are left out: caches fill and code is compiled then. */
const warmUpSec = 15
/** A finding needs two distinct minutes; this is never within one, and gives the detectors data enough. */
const minMs = 100_000
const enoughHalfWidthRatio = 0.1
/** Everything of one fault but its pairs: two collectors, two shops, analysis. */
const aroundMs = 35_000
const budgetMs = 23 * 60_000
/** A fault whose noise does not settle ends after this, with the half-width that it has. */
const mostMs = 210_000
/** With --full a fault whose noise never settles still ends. */
const fullMs = 20 * 60_000

export const bench: Bench = {
  name: 'savings',
  question:
    'what a finding says its fix would save, beside what it does save (one fault at a time, pairs of slices)',
  packages: ['otlp', 'agent', 'browser-sdk', 'collector', 'loadtests', 'analyzers', 'examples/shop'],
  figures: [
    { id: 'median-error', unit: 'ratio', target: '<=0.2' },
    { id: 'max-error', unit: 'ratio', target: '' },
    ...cases.map(({ fault }) => ({ id: `error-${fault}`, unit: 'ratio', target: '' })),
    { id: 'foreign-findings', unit: '{finding}', target: '<=0' },
  ],
  run,
}

interface Outcome {
  readonly test: Case
  readonly finding: Finding | undefined
  readonly measured: Estimate
  readonly pairs: number
  readonly n: number
  /** |predicted - measured| / measured; 1 without a prediction. */
  readonly error: number
  readonly foreign: readonly string[]
  readonly remarks: readonly string[]
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const startedMs = Date.now()
  const named = process.env.HOTSPAN_BENCH_FAULTS?.split(',')
  const chosen = cases.filter(({ fault }) => named === undefined || named.includes(fault))
  options.progress('starting PostgreSQL and copying its data')
  const databases = await openDatabases()
  const outcomes: Outcome[] = []
  try {
    for (const [i, test] of chosen.entries()) {
      const leftMs = startedMs + budgetMs - Date.now()
      const shareMs = options.full ? fullMs : Math.min(mostMs, leftMs / (chosen.length - i) - aroundMs)
      const outcome = await judge(test, databases, Math.max(minMs, shareMs), options)
      outcomes.push(outcome)
      options.progress(lineOf(outcome))
    }
  } finally {
    await databases.close()
  }
  return resultOf(outcomes)
}

async function judge(
  test: Case,
  databases: Databases,
  shareMs: number,
  options: BenchOptions,
): Promise<Outcome> {
  options.progress(`${test.fault}: starting two shops`)
  const pair = await openPair(test.fault, databases)
  try {
    return await (test.measure === 'renders' ? judgeRenders : judgeRequests)(test, pair, shareMs, options)
  } finally {
    await pair.close()
  }
}

async function judgeRequests(
  test: Case,
  pair: Pair,
  shareMs: number,
  options: BenchOptions,
): Promise<Outcome> {
  const { signal } = options
  const startedMs = Date.now()
  await loadSlice(test, pair, warmUpSec * 1000, 1, signal)
  const window = { fromMs: Date.now(), toMs: 0 }
  const sliceMs = test.measure === 'victims' ? 20_000 : 10_000
  const slices: Slice[] = []
  for (;;) {
    slices.push(await loadSlice(test, pair, sliceMs, 2 + slices.length, signal))
    signal.throwIfAborted()
    const nowMs = Date.now()
    if (nowMs - window.fromMs < minMs) continue
    const isOver = nowMs - startedMs + sliceMs > shareMs
    const measured = await measure()
    options.progress(`${test.fault}: ${slices.length} pairs, ${interval(measured.estimate)}`)
    if (!isOver && !(halfWidthRatio(measured.estimate) <= enoughHalfWidthRatio)) continue
    return outcomeOf(test, measured.reports, measured.operation, measured.data, measured.remarks)
  }

  async function measure() {
    const last = slices.at(-1)!
    await arrived(
      pair.on.store,
      window.fromMs,
      last.map(({ on }) => on.traceId),
    )
    await arrived(
      pair.off.store,
      window.fromMs,
      last.map(({ off }) => off.traceId),
    )
    window.toMs = Date.now()
    const reports = await reportsOf(pair, window)
    const operation = mainFinding(test, reports.on)?.operation ?? ''
    const spans = {
      on: await serverSpans(pair.on.store, window),
      off: await serverSpans(pair.off.store, window),
    }
    if (test.measure === 'requests') {
      const data = requestData(slices, spans, operation)
      return { reports, operation, data, estimate: estimateOf(data), remarks: [] }
    }
    const { paid, arrived: late } = victimData(slices, spans, await stalls(pair.on.store, window))
    const remarks = [
      `requests that came during a stall and waited outside the server lost ${interval(estimateOf(late))} (n ${countOf(late)})`,
    ]
    return { reports, operation, data: paid, estimate: estimateOf(paid), remarks }
  }
}

async function judgeRenders(
  test: Case,
  pair: Pair,
  shareMs: number,
  options: BenchOptions,
): Promise<Outcome> {
  const { signal } = options
  const startedMs = Date.now()
  await visitPair(pair, 0)
  const fromMs = Date.now()
  const visits: Awaited<ReturnType<typeof visitPair>>[] = []
  for (;;) {
    visits.push(await visitPair(pair, 1 + visits.length))
    signal.throwIfAborted()
    const nowMs = Date.now()
    if (nowMs - fromMs < minMs) continue
    const isOver = nowMs - startedMs + (nowMs - fromMs) / visits.length > shareMs
    const reports = await reportsOf(pair, { fromMs, toMs: nowMs })
    const operation = mainFinding(test, reports.on)?.operation ?? ''
    const data = await interactionData(pair, visits, operation)
    const estimate = estimateOf(data)
    options.progress(`${test.fault}: ${visits.length} pairs, ${interval(estimate)}`)
    if (!isOver && !(halfWidthRatio(estimate) <= enoughHalfWidthRatio)) continue
    return outcomeOf(test, reports, operation, data, [])
  }
}

interface Reports {
  readonly on: Report
  readonly off: Report
}

async function reportsOf(pair: Pair, window: { fromMs: number; toMs: number }): Promise<Reports> {
  return {
    on: await analyze(pair.on.store, { ...window, warmUpSec }),
    off: await analyze(pair.off.store, { ...window, warmUpSec }),
  }
}

const holds = ({ confidence }: Finding): boolean => confidence !== 'possible'

/** The first of the detector's own findings: reports are ranked by what a day would save. */
const mainFinding = (test: Case, report: Report): Finding | undefined =>
  report.findings.find((finding) => holds(finding) && finding.detector === test.detector)

function outcomeOf(
  test: Case,
  reports: Reports,
  operation: string,
  data: readonly Datum[],
  remarks: readonly string[],
): Outcome {
  const finding = mainFinding(test, reports.on)
  const measured = estimateOf(data)
  const predictedMs = finding?.saving?.perRequestMs.value
  const foreign = [
    ...reports.on.findings
      .filter((found) => holds(found) && found.detector !== test.detector)
      .map(title('on')),
    ...reports.off.findings.filter(holds).map(title('off')),
  ]
  return {
    test,
    finding,
    measured,
    pairs: data.length,
    n: countOf(data),
    error: predictedMs === undefined ? 1 : Math.abs(predictedMs - measured.value) / measured.value,
    foreign,
    remarks: [`${operation || 'no finding'}: ${finding?.title ?? 'error 1'}`, ...remarks],
  }
}

const title = (side: string) => (finding: Finding) =>
  `${finding.detector} with the fault ${side}: ${finding.operation}, ${finding.title}`

const estimateOf = (data: readonly Datum[]): Estimate => hodgesLehmann(data.map(({ ms }) => ms))
const countOf = (data: readonly Datum[]): number => data.reduce((sum, { n }) => sum + n, 0)

const interval = ({ value, low, high }: Estimate): string =>
  `${value.toFixed(1)} ms (${low.toFixed(1)} to ${high.toFixed(1)})`

function lineOf({ test, finding, measured, pairs, n, error }: Outcome): string {
  const predicted = finding?.saving ? interval(finding.saving.perRequestMs) : 'none'
  return `${test.fault.padEnd(25)} predicted ${predicted.padEnd(28)} measured ${interval(measured).padEnd(28)} ${pairs} pairs, n ${n}, half-width ${(100 * halfWidthRatio(measured)).toFixed(0)} %, error ${error.toFixed(3)}`
}

function resultOf(outcomes: readonly Outcome[]): BenchResult {
  const errors = outcomes.map(({ error }) => error)
  const foreign = outcomes.flatMap(({ test, foreign }) => foreign.map((text) => `${test.fault}: ${text}`))
  const valuesOf = (id: string): readonly number[] => {
    if (id === 'median-error') return [median(errors)]
    if (id === 'max-error') return [Math.max(...errors)]
    if (id === 'foreign-findings') return [foreign.length]
    return outcomes.filter(({ test }) => id === `error-${test.fault}`).map(({ error }) => error)
  }
  const figures = bench.figures.filter(({ id }) => valuesOf(id).length > 0)
  return {
    rounds: Math.min(...outcomes.map(({ pairs }) => pairs)),
    figures: figures.map((definition) => figure(definition, valuesOf(definition.id))),
    notes: [
      ...outcomes.map(lineOf),
      ...outcomes.flatMap(({ test, remarks }) => remarks.map((text) => `${test.fault}: ${text}`)),
      ...(foreign.length === 0 ? [] : ['foreign findings:', ...foreign]),
      `two shops at once, one with the fault, one without, same schedule, half an arrival apart; a pair is 10 s (20 s for inference-on-main-thread), its datum the median difference of the same request's server span; Hodges-Lehmann over pairs, 95 % by the inverted Wilcoxon test`,
      'prediction and measurement are of the same minutes, so a busy machine disturbs both alike; rounds is the smallest number of pairs',
    ],
  }
}
