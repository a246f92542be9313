import type { StoredSpan } from '@hotspan/collector'
import { attr } from '@hotspan/otlp'

/** A span as the store returns it. */
export type WaterfallSpan = StoredSpan

/** One line of a waterfall: a span, or the rest of a run of equal siblings folded into one line. */
export interface WaterfallRow {
  readonly spanId: string
  readonly depth: number
  readonly name: string
  readonly service: string
  readonly kind: string
  /** From the start of the trace. */
  readonly startMs: number
  /** Of a folded line: from the first start to the last end. */
  readonly durationMs: number
  readonly error: boolean
  readonly critical: boolean
  /** What the name leaves open: the statement, the address of a call, the path of a request without a route; else `''`. */
  readonly detail: string
  /** `api/src/products.ts:48`, `''` when unknown. */
  readonly codePlace: string
  /** A folded line has none. */
  readonly events: WaterfallSpan['events']
  /** 0 for a span, else the number of spans folded into this line. */
  readonly folded: number
}

export interface Waterfall {
  readonly traceId: string
  /** Of the span by which the trace came in. */
  readonly name: string
  readonly startUnixMs: number
  /** From the first start to the last end: a page's trace goes on after its load. */
  readonly durationMs: number
  /** Of the span that gives the name. */
  readonly entryMs: number
  readonly spans: number
  readonly errors: number
  readonly services: readonly string[]
  /** Spans whose parent was never received, without the one by which the trace came in. */
  readonly orphans: number
  readonly rows: readonly WaterfallRow[]
  /** Spans that the bound on rows left out. */
  readonly leftOut: number
}

export interface WaterfallOptions {
  readonly criticalSpanIds?: ReadonlySet<string>
  /** Runs of this many equal siblings or more show two and fold the rest; Infinity folds none. */
  readonly foldFrom?: number
  readonly maxRows?: number
}

const byStart = (a: WaterfallSpan, b: WaterfallSpan): number =>
  a.startNs < b.startNs ? -1 : a.startNs > b.startNs ? 1 : b.durationNs - a.durationNs

const statementOf = (span: WaterfallSpan): string => span.attributes[attr.dbQueryText] ?? ''

const detailOf = (span: WaterfallSpan): string => {
  const statement = statementOf(span)
  if (statement !== '') return statement
  if (span.kind === 'client') return span.attributes[attr.urlFull] ?? ''
  if (span.kind === 'server' && !span.name.includes('/')) return span.attributes[attr.urlPath] ?? ''
  return span.attributes[attr.codeFunctionName] ?? ''
}

const codePlaceOf = (span: WaterfallSpan): string => {
  const file = span.attributes[attr.codeFilePath] ?? ''
  const line = span.attributes[attr.codeLineNumber]
  return file === '' || line === undefined ? file : `${file}:${line}`
}

const shapeOf = (span: WaterfallSpan): string =>
  JSON.stringify([span.service, span.kind, span.name, statementOf(span)])

/** A request from outside: its parent is the caller's (a load generator, a proxy), who need not send spans to this store. */
const isEntry = (span: WaterfallSpan): boolean => span.kind === 'server' || span.kind === 'consumer'

/** The lines of one trace, parents before children, siblings by start. Spans without their parent and spans in a loop stand at the top. */
export const buildWaterfall = (
  spans: readonly WaterfallSpan[],
  options: WaterfallOptions = {},
): Waterfall => {
  const { criticalSpanIds = new Set<string>(), foldFrom = 5, maxRows = 400 } = options
  const sorted = [...spans].sort(byStart)
  const known = new Set(sorted.map((span) => span.spanId))
  const children = new Map<string, WaterfallSpan[]>()
  const tops: WaterfallSpan[] = []
  for (const span of sorted) {
    const parented =
      span.parentSpanId !== '' && known.has(span.parentSpanId) && span.parentSpanId !== span.spanId
    if (!parented) tops.push(span)
    else children.set(span.parentSpanId, [...(children.get(span.parentSpanId) ?? []), span])
  }
  const startNs = sorted[0]?.startNs ?? 0n
  const offsetMs = (span: WaterfallSpan): number => Number(span.startNs - startNs) / 1e6
  const endMs = (span: WaterfallSpan): number => offsetMs(span) + span.durationNs / 1e6

  const rows: WaterfallRow[] = []
  const visited = new Set<string>()
  const rowOf = (span: WaterfallSpan, depth: number, rest: readonly WaterfallSpan[] = []): WaterfallRow => {
    const all = [span, ...rest]
    const startMs = offsetMs(span)
    return {
      spanId: span.spanId,
      depth,
      name: span.name,
      service: span.service,
      kind: span.kind,
      startMs,
      durationMs: Math.max(...all.map(endMs)) - startMs,
      error: all.some((one) => one.statusCode === 'error'),
      critical: all.some((one) => criticalSpanIds.has(one.spanId)),
      detail: detailOf(span),
      codePlace: codePlaceOf(span),
      events: rest.length === 0 ? span.events : [],
      folded: rest.length === 0 ? 0 : all.length,
    }
  }
  /** Siblings of one shape, without children of their own, share a fold. */
  const linesOf = (siblings: readonly WaterfallSpan[]): [WaterfallSpan, WaterfallSpan[]][] => {
    const groups = new Map<string, WaterfallSpan[]>()
    for (const span of siblings) {
      if (children.has(span.spanId)) continue
      const shape = shapeOf(span)
      groups.set(shape, [...(groups.get(shape) ?? []), span])
    }
    const lines: [WaterfallSpan, WaterfallSpan[]][] = []
    for (const span of siblings) {
      const equal = children.has(span.spanId) ? [] : (groups.get(shapeOf(span)) ?? [])
      const place = equal.indexOf(span)
      if (equal.length < foldFrom || place < 2) lines.push([span, []])
      else if (place === 2) lines.push([span, equal.slice(3)])
    }
    return lines
  }
  const visit = (from: readonly WaterfallSpan[]): void => {
    const pending = linesOf(from).map(([span, rest]) => ({ span, rest, depth: 0 }))
    pending.reverse()
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (visited.has(next.span.spanId)) continue
      visited.add(next.span.spanId)
      for (const folded of next.rest) visited.add(folded.spanId)
      rows.push(rowOf(next.span, next.depth, next.rest))
      const below = linesOf(children.get(next.span.spanId) ?? [])
      for (const [span, rest] of below.reverse()) pending.push({ span, rest, depth: next.depth + 1 })
    }
  }
  visit(tops)
  const looped = sorted.filter((span) => !visited.has(span.spanId))
  for (const span of looped) if (!visited.has(span.spanId)) visit([span])

  const shown = rows.slice(0, maxRows)
  const shownSpans = shown.reduce((sum, row) => sum + Math.max(1, row.folded), 0)
  const entry = tops.find((span) => span.parentSpanId === '') ?? tops.find(isEntry)
  const root = entry ?? tops[0] ?? sorted[0]
  return {
    traceId: root?.traceId ?? '',
    name: root?.name ?? '',
    startUnixMs: Number(startNs / 1_000_000n),
    durationMs: sorted.length === 0 ? 0 : Math.max(...sorted.map(endMs)),
    entryMs: (root?.durationNs ?? 0) / 1e6,
    spans: sorted.length,
    errors: sorted.filter((span) => span.statusCode === 'error').length,
    services: [...new Set(sorted.map((span) => span.service))],
    orphans:
      tops.filter((span) => span !== entry && span.parentSpanId !== '').length +
      (tops.length === 0 ? looped.length : 0),
    rows: shown,
    leftOut: Math.max(0, sorted.length - shownSpans),
  }
}
