import type { Report } from '@hotspan/analyzers'
import { type Store, spansOfTraces } from '@hotspan/collector'

/** Whether a trace that a finding names is whole, and what it runs through. */
export interface TraceFacts {
  readonly traceId: string
  readonly services: readonly string[]
  /** Values of `db.system.name` in it. */
  readonly databases: readonly string[]
  readonly spans: number
  readonly roots: number
  /** Spans whose parent is not stored. */
  readonly missingParents: number
}

/** Facts of every trace that a finding of the report names. */
export async function traceFacts(store: Store, report: Report): Promise<TraceFacts[]> {
  const ids = [...new Set(report.findings.flatMap(({ traceIds }) => traceIds))]
  const spans = await spansOfTraces(store, report.window, ids)
  return ids.map((traceId) => {
    const own = spans.filter((span) => span.traceId === traceId)
    const known = new Set(own.map(({ spanId }) => spanId))
    const roots = own.filter(({ parentSpanId }) => parentSpanId === '')
    return {
      traceId,
      services: [...new Set(own.map(({ service }) => service))],
      databases: [
        ...new Set(own.map(({ attributes }) => attributes['db.system.name'] ?? '').filter(Boolean)),
      ],
      spans: own.length,
      roots: roots.length,
      missingParents: own.filter(({ parentSpanId }) => parentSpanId !== '' && !known.has(parentSpanId))
        .length,
    }
  })
}
