import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { type AnyValue, decodeTraces, type Span } from '../../otlp/dist/index.js'
import { type Contender, core } from './contenders.ts'
import { pause, routes } from './routes.ts'
import { startApp } from './running-app.ts'

/** The anchor sends every 5 s. */
const flushMs = 6000

/** One kind of difference between the two span sets. */
interface Reason {
  readonly matches: RegExp
  readonly reason: string
}

/** Every difference that may be; whatever is not here counts as unexplained. */
const reasons: readonly Reason[] = [
  { matches: /^server: http\.route only ours/, reason: 'stock has no route for Fastify' },
  { matches: /^server: name /, reason: 'the route belongs to the name' },
  { matches: /^query: name /, reason: 'the convention wants {db.query.summary}' },
  {
    matches: /^query: (db\.query\.summary|db\.operation\.name|db\.response\.returned_rows|hotspan\.)/,
    reason: 'more than stock tells',
  },
  { matches: /^fetch: url\.query only stock/, reason: 'stock writes it empty when there is none' },
  {
    matches: /^fetch: http\.request\.method_original only stock/,
    reason: 'stock repeats a method that is a standard one',
  },
  { matches: /^[\w ]+: tracestate /, reason: 'ot=th says what a sampled span stands for' },
]

export interface SpanSetDifference {
  readonly rows: readonly string[]
  readonly unexplained: number
}

/** The same requests under ours and under stock; what their spans differ in, without ids, times and ephemeral ports. */
export async function compareSpanSets(databaseUrl: string): Promise<SpanSetDifference> {
  const [ours, stock] = await Promise.all(
    ['hotspan', 'stock'].map((id) => traceOfEachRoute(core.find((c) => c.id === id)!, databaseUrl)),
  )
  const found = new Map<string, Set<string>>()
  const note = (difference: string, route: string) => {
    const where = found.get(difference) ?? new Set()
    found.set(difference, where.add(route))
  }
  for (const { id } of routes) {
    const left = grouped(ours!.get(id) ?? [])
    const right = grouped(stock!.get(id) ?? [])
    for (const group of new Set([...left.keys(), ...right.keys()])) {
      const [a, b] = [left.get(group) ?? [], right.get(group) ?? []]
      if (a.length !== b.length) note(`${group}: ${a.length} spans of ours, ${b.length} of stock`, id)
      for (let i = 0; i < Math.min(a.length, b.length); i++)
        for (const difference of differences(a[i]!, b[i]!)) note(`${group}: ${difference}`, id)
    }
  }
  let unexplained = 0
  const rows = [...found].sort().map(([difference, where]) => {
    const reason = reasons.find(({ matches }) => matches.test(difference))?.reason
    if (reason === undefined) unexplained++
    return `  ${difference} (${[...where].join(', ')}): ${reason ?? 'UNEXPLAINED'}`
  })
  return { rows, unexplained }
}

interface Placed {
  readonly span: Span
  readonly parentGroup: string
}

function groupOf(span: Span): string {
  if (span.kind === 2) return 'server'
  const has = (key: string) => span.attributes.some((attribute) => attribute.key === key)
  if (has('db.query.text')) return 'query'
  if (span.name === 'pg-pool.connect') return 'pool wait'
  if (has('url.full')) return 'fetch'
  return `kind ${span.kind} ${span.name}`
}

function grouped(spans: readonly Span[]): Map<string, Placed[]> {
  const byId = new Map(spans.map((span) => [span.spanId, span]))
  const groups = new Map<string, Placed[]>()
  for (const span of [...spans].sort((a, b) => (a.startTimeUnixNano < b.startTimeUnixNano ? -1 : 1))) {
    const parent = byId.get(span.parentSpanId)
    const placed = { span, parentGroup: parent === undefined ? 'none' : groupOf(parent) }
    const group = groupOf(span)
    groups.set(group, [...(groups.get(group) ?? []), placed])
  }
  return groups
}

function differences(ours: Placed, stock: Placed): string[] {
  const found: string[] = []
  const compare = (what: string, a: unknown, b: unknown) => {
    if (a !== b) found.push(`${what} ${String(a) || 'none'}, stock ${String(b) || 'none'}`)
  }
  compare('parent', ours.parentGroup, stock.parentGroup)
  compare('name', ours.span.name, stock.span.name)
  compare('kind', ours.span.kind, stock.span.kind)
  compare('flags', ours.span.flags, stock.span.flags)
  compare('status', ours.span.status.code, stock.span.status.code)
  compare('tracestate', ours.span.traceState, stock.span.traceState)
  const a = new Map(ours.span.attributes.map(({ key, value }) => [key, described(key, value)]))
  const b = new Map(stock.span.attributes.map(({ key, value }) => [key, described(key, value)]))
  for (const key of a.keys()) {
    if (!b.has(key)) found.push(`${key} only ours`)
    else compare(key, a.get(key), b.get(key))
  }
  for (const key of b.keys()) if (!a.has(key)) found.push(`${key} only stock`)
  return found
}

/** Type and value; ports, which the system chooses, by type alone. */
function described(key: string, value: AnyValue): string {
  const type = typeof value
  if (key.endsWith('.port')) return type
  return `${type} ${String(value).replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')}`
}

/** Spans of the last request of each route, when every connection is open. */
async function traceOfEachRoute(contender: Contender, databaseUrl: string): Promise<Map<string, Span[]>> {
  const spans: Span[] = []
  const endpoint = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const raw = Buffer.concat(parts)
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
      for (const { scopeSpans } of decodeTraces(body).resourceSpans)
        for (const scope of scopeSpans) spans.push(...scope.spans)
      response.end()
    })
  })
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`
  const app = await startApp(contender, databaseUrl, { url, tlsUrl: undefined, certificate: undefined })
  const traces = new Map<string, Span[]>()
  try {
    for (let i = 0; i < 3; i++) {
      for (const { path } of routes) await (await fetch(`${String(app.ready.url)}${path(i)}`)).text()
    }
    await pause(flushMs)
    for (const { id, path } of routes) {
      const roots = spans.filter(
        ({ kind, parentSpanId, attributes }) =>
          kind === 2 &&
          parentSpanId === '' &&
          attributes.some(({ key, value }) => key === 'url.path' && value === path(2)),
      )
      roots.sort((a, b) => (a.startTimeUnixNano < b.startTimeUnixNano ? -1 : 1))
      const last = roots.at(-1)
      if (last !== undefined)
        traces.set(
          id,
          spans.filter(({ traceId }) => traceId === last.traceId),
        )
    }
  } finally {
    await app.stop()
    endpoint.closeAllConnections()
    endpoint.close()
  }
  return traces
}
