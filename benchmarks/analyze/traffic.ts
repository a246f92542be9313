import {
  call,
  endOf,
  fromBrowser,
  oneAfterAnother,
  query,
  serve,
} from '../../analyzers/src/testing/shapes.ts'
import { type MadeSpan, type MadeTrace, Traffic, toTracesData } from '../../analyzers/src/testing/traffic.ts'
import { encodeTraces } from '../../otlp/dist/index.js'

const processes = 4
const tracesPerBody = 1_000

/** Twelve routes of a shop, a third of them with a fault, as the agent would record them. */
function request(traffic: Traffic, i: number): MadeSpan {
  const route = i % 12
  const path = `GET /route${route}/:id`
  const one = (table: string, ms: number) =>
    query(`SELECT a, b FROM ${table} WHERE id = $1`, 0, traffic.around(ms), {
      parameters: [traffic.whole(1, 1e6)],
    })
  if (route < 2) {
    const source = query('SELECT id FROM products LIMIT $1', 1, traffic.around(4), {
      rows: 20,
      parameters: [20],
    })
    const loop = oneAfterAnother(
      Array.from({ length: traffic.whole(8, 30) }, () => ({ ...one('reviews', 3) })),
      endOf([source]) + 1,
    )
    return serve(path, endOf(loop) + 2, [source, ...loop])
  }
  if (route === 2) {
    const calls = oneAfterAnother(
      ['prices', 'stock', 'ratings'].map((name) => call(`http://${name}/items`, 0, traffic.around(40))),
      2,
    )
    return serve(path, endOf(calls) + 2, calls)
  }
  if (route === 3) {
    const ms = traffic.around(110)
    const attributes = { 'hotspan.inference.model.name': 'ranker.onnx', 'hotspan.inference.phase': 'forward' }
    return serve(path, ms + 20, [
      {
        name: 'inference.forward ranker.onnx',
        startMs: 5,
        durationMs: ms,
        attributes: { ...attributes, 'hotspan.inference.thread': 'main' },
      },
      {
        name: 'event_loop.stall',
        startMs: 6,
        durationMs: ms - 2,
        attributes: {
          'hotspan.event_loop.stall.duration': ms - 2,
          'hotspan.event_loop.stall.cpu_time': ms - 5,
          'hotspan.event_loop.utilization': 0.8,
        },
      },
    ])
  }
  const queries = oneAfterAnother([one('users', 2), one(`table${route}`, 6), one('carts', 3)], 2)
  const made = serve(path, endOf(queries) + 3, queries)
  return route < 6 ? fromBrowser(made) : made
}

const ofProcess = (span: MadeSpan, instance: string): MadeSpan => ({
  ...span,
  ...((span.service ?? 'api') === 'api' && { resource: { 'service.instance.id': instance } }),
  children: (span.children ?? []).map((child) => ofProcess(child, instance)),
})

const countOf = (span: MadeSpan): number =>
  (span.children ?? []).reduce((sum, child) => sum + countOf(child), 1)

/** OTLP bodies of together at least `spans` spans, spread over `windowMs` from `fromMs`. */
export function* bodies(
  spans: number,
  fromMs: number,
  windowMs: number,
): Generator<{ body: Uint8Array; spans: number }> {
  const traffic = new Traffic(7)
  // What one round of the routes holds on average says how many traces are needed.
  const probe = new Traffic(8)
  const perTrace =
    Array.from({ length: 1_200 }, (_, i) => countOf(request(probe, i))).reduce((a, b) => a + b) / 1_200
  const stepMs = windowMs / Math.ceil(spans / perTrace)
  let made = 0
  for (let i = 0; made < spans; ) {
    const traces: MadeTrace[] = []
    const before = made
    for (; traces.length < tracesPerBody && made < spans; i++) {
      const root = ofProcess(request(traffic, i), `api-${Math.floor(i / 12) % processes}`)
      made += countOf(root)
      traces.push({ atMs: Math.min(windowMs - 1_000, i * stepMs), root })
    }
    yield { body: encodeTraces(toTracesData(traces, fromMs)), spans: made - before }
  }
}
