import { type StoredSpan, spansOfTraces } from '@hotspan/collector'
import type { Hint } from './detector.ts'
import { inWindow, isWarm, rows } from './rows.ts'
import { type Entry, type SampledTrace, sampleTrace } from './trace/entry.ts'
import { buildTraceTree } from './trace/trace-tree.ts'
import type { AnalysisWindow } from './window.ts'

/** Bounds of what one analysis holds in memory: about 1.5 kB a span. */
const maxSpans = 300_000
const maxTraces = 6_000
const batchTraces = 100

/** Traces per operation: this many of the slowest, as many taken blindly, and some that start in a browser. */
const perOperation = { slowest: 20, blind: 60, browser: 12 }

/** The traces that tree code looks at. */
export interface TraceSample {
  readonly traces: ReadonlyMap<string, SampledTrace>
  readonly entries: readonly Entry[]
  /** Requests of one operation that succeeded. */
  readonly entriesOf: (service: string, operation: string) => readonly Entry[]
}

export async function loadSample(window: AnalysisWindow, hints: readonly Hint[]): Promise<TraceSample> {
  const [slowest, blind, browser] = await Promise.all([
    tracesPerOperation(window, 'Duration DESC', perOperation.slowest, ''),
    tracesPerOperation(window, 'cityHash64(TraceId)', perOperation.blind, ''),
    tracesPerOperation(window, 'cityHash64(TraceId)', perOperation.browser, startsInBrowser),
  ])
  const fair = new Set([...browser, ...blind, ...hints.flatMap((hint) => hint.traceIds)])
  const blindly = new Set(blind)
  const chosen = [...new Set([...browser, ...hints.flatMap((hint) => hint.traceIds), ...blind, ...slowest])]
  const traces = new Map<string, SampledTrace>()
  let spans = 0
  for (let at = 0; at < Math.min(chosen.length, maxTraces) && spans < maxSpans; at += batchTraces) {
    const batch = chosen.slice(at, Math.min(at + batchTraces, maxTraces))
    const stored = await spansOfTraces(window.store, window.scope, batch)
    spans += stored.length
    for (const [traceId, ofTrace] of byTrace(stored)) {
      const tree = buildTraceTree(ofTrace)
      if (tree === null) continue
      const { warmUpSec } = window.settings
      traces.set(
        traceId,
        sampleTrace(tree, { isFair: fair.has(traceId), isBlind: blindly.has(traceId), warmUpSec }),
      )
    }
  }
  return indexed(traces)
}

const startsInBrowser = `AND TraceId IN (
  SELECT TraceId FROM otel_traces WHERE ${inWindow} AND ParentSpanId = '' AND ResourceAttributes['telemetry.sdk.language'] = 'webjs')`

async function tracesPerOperation(
  window: AnalysisWindow,
  order: string,
  limit: number,
  condition: string,
): Promise<string[]> {
  const found = await rows<{ traceId: string }>(
    window.store,
    `SELECT DISTINCT traceId FROM (
       SELECT TraceId AS traceId FROM (
         SELECT TraceId, ServiceName, SpanName, Duration FROM otel_traces
         WHERE ${inWindow} AND SpanKind = 'Server' AND StatusCode != 'Error' AND ${isWarm} ${condition}
         LIMIT 1 BY TraceId, SpanId
       )
       ORDER BY ${order} LIMIT {limit: UInt32} BY ServiceName, SpanName LIMIT {maxTraces: UInt32}
     )`,
    { ...window.parameters, limit, maxTraces },
  )
  return found.map((row) => row.traceId)
}

function byTrace(spans: readonly StoredSpan[]): Map<string, StoredSpan[]> {
  const traces = new Map<string, StoredSpan[]>()
  for (const span of spans) {
    const known = traces.get(span.traceId)
    if (known === undefined) traces.set(span.traceId, [span])
    else known.push(span)
  }
  return traces
}

function indexed(traces: ReadonlyMap<string, SampledTrace>): TraceSample {
  const entries: Entry[] = []
  const byOperation = new Map<string, Entry[]>()
  for (const trace of traces.values()) {
    for (const entry of trace.entries) {
      if (entry.isError) continue
      entries.push(entry)
      const key = JSON.stringify([entry.service, entry.operation])
      const known = byOperation.get(key)
      if (known === undefined) byOperation.set(key, [entry])
      else known.push(entry)
    }
  }
  return {
    traces,
    entries,
    entriesOf: (service, operation) => byOperation.get(JSON.stringify([service, operation])) ?? [],
  }
}
