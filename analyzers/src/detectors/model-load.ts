import { type Detector, type Hint, type Judgement, observe } from '../detector.ts'
import type { Evidence } from '../finding.ts'
import { inWindow, isWarm, rows } from '../rows.ts'
import { medianInterval } from '../statistics/intervals.ts'
import { pathTimeMs } from '../trace/critical-path.ts'
import type { Entry } from '../trace/entry.ts'
import { type Edit, retime } from '../trace/retime.ts'
import { callSiteOf } from '../trace/span-target.ts'
import type { TraceNode } from '../trace/trace-tree.ts'
import type { TraceSample } from '../trace-sample.ts'
import type { AnalysisWindow } from '../window.ts'

/**
 * Model loaded on the request path.
 * Rule         a load span inside a request, or more than one load of a model in one process (worker threads count as processes of
 *              their own). Adapter loads count: they are load spans too.
 * Likely       the load is on the critical path of the request, and one process loaded the same model more than once.
 * Saving       re-timed without the load. Pessimistic.
 * Fingerprint  model.
 * Guards       start-up (warm-up time; loads outside of requests, once per process); roll-outs: a process that loads once, at its
 *              first request, is a cold start and stays `possible`.
 */
export const modelLoad: Detector = {
  id: 'model-load',
  needs: ['hotspan.inference.model.name'],
  candidates,
  confirm,
}

const isLoadSql = `SpanAttributes['hotspan.inference.phase'] = 'load'`

async function candidates(window: AnalysisWindow): Promise<Hint[]> {
  const found = await rows<{ service: string; traceIds: string[] }>(
    window.store,
    `SELECT ServiceName AS service, groupArraySample(60, 7)(TraceId) AS traceIds
     FROM otel_traces WHERE ${inWindow} AND ${isLoadSql} AND ParentSpanId != '' AND ${isWarm}
     GROUP BY ServiceName, SpanAttributes['hotspan.inference.model.name'] LIMIT 50`,
    window.parameters,
  )
  return found.map(({ service, traceIds }) => ({
    detector: 'model-load',
    service,
    traceIds: [...new Set(traceIds)],
  }))
}

interface Load {
  readonly entry: Entry
  readonly loads: readonly TraceNode[]
}

async function confirm(
  _hints: readonly Hint[],
  sample: TraceSample,
  window: AnalysisWindow,
): Promise<Judgement[]> {
  const groups = new Map<string, Load[]>()
  for (const entry of sample.entries) {
    for (const [model, loads] of loadsByModel(entry)) {
      const key = JSON.stringify([entry.service, entry.operation, model])
      const known = groups.get(key)
      if (known === undefined) groups.set(key, [{ entry, loads }])
      else known.push({ entry, loads })
    }
  }
  if (groups.size === 0) return []
  const perProcess = await loadsPerProcess(window)
  return [...groups.values()].map((requests) => judge(requests, perProcess))
}

function loadsByModel(entry: Entry): Map<string, TraceNode[]> {
  const loads = new Map<string, TraceNode[]>()
  for (const node of entry.nodes) {
    if (node.span.attributes['hotspan.inference.phase'] !== 'load' || node.span.service !== entry.service)
      continue
    const model = node.span.attributes['hotspan.inference.model.name'] ?? ''
    if (model === '') continue
    loads.set(model, [...(loads.get(model) ?? []), node])
  }
  return loads
}

/** Most loads of each service and model in one process. */
async function loadsPerProcess(window: AnalysisWindow): Promise<ReadonlyMap<string, number>> {
  const found = await rows<{ service: string; model: string; loads: number }>(
    window.store,
    `SELECT service, model, toFloat64(max(n)) AS loads FROM (
       SELECT ServiceName AS service, SpanAttributes['hotspan.inference.model.name'] AS model, uniqExact(SpanId) AS n
       FROM otel_traces WHERE ${inWindow} AND ${isLoadSql}
       GROUP BY service, model, ResourceAttributes['service.instance.id'], ResourceAttributes['process.pid'],
         ResourceAttributes['thread.id']
     ) GROUP BY service, model LIMIT 1000`,
    window.parameters,
  )
  return new Map(found.map(({ service, model, loads }) => [JSON.stringify([service, model]), loads]))
}

function judge(requests: readonly Load[], perProcess: ReadonlyMap<string, number>): Judgement {
  const { entry, loads } = requests[0]!
  const model = loads[0]!.span.attributes['hotspan.inference.model.name']!
  const most = perProcess.get(JSON.stringify([entry.service, model])) ?? 1
  const onPath = requests.filter((request) => {
    const mine = new Set(request.loads)
    return pathTimeMs(request.entry.path, (node) => mine.has(node)) > 0
  })
  const site = callSiteOf(loads[0]!.span)
  const loadMs = medianInterval(
    requests.map((request) => request.loads.reduce((sum, { span }) => sum + span.durationNs / 1e6, 0)),
  )
  return {
    detector: 'model-load',
    service: entry.service,
    operation: entry.operation,
    place: '',
    target: model,
    title: `Model ${model} is loaded while a request waits, ${loadMs.value.toFixed(0)} ms`,
    location: { route: entry.operation, model, ...site },
    observations: requests.map((request) => {
      const edits: Edit[] = request.loads.map(({ span }) => ({ kind: 'remove', spanId: span.spanId }))
      return observe(request.entry, retime(request.entry.node, edits).savedMs, edits)
    }),
    minTraces: 3,
    signals: [
      ...(onPath.length >= requests.length / 2 ? ['the load is on the critical path of the request'] : []),
      ...(most > 1 ? [`one process loaded the model ${most} times`] : []),
    ],
    evidence: evidenceOf(requests, loadMs, most),
    fix: `Load ${model} once when the process starts, keep the session, and let requests wait for that one promise; release it only at shutdown.`,
    guards: [
      'Not at start-up: loads of the warm-up time and outside of requests are left out.',
      most > 1
        ? 'Not a roll-out: the same process loaded it again.'
        : 'Each process loaded it once: this may be a cold start after a roll-out.',
    ],
  }
}

function evidenceOf(
  requests: readonly Load[],
  loadMs: { value: number; low: number; high: number },
  most: number,
): Evidence[] {
  return [
    {
      label: 'load time per request',
      value: loadMs.value,
      unit: 'ms',
      n: requests.length,
      ...(Number.isFinite(loadMs.low) && { low: loadMs.low }),
      ...(Number.isFinite(loadMs.high) && { high: loadMs.high }),
    },
    { label: 'most loads in one process', value: most, unit: '{load}', n: requests.length },
  ]
}
