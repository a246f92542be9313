import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nPlusOneTrace, spanOf } from '../testing/reports.ts'
import { buildWaterfall } from './waterfall.ts'

test('children stand below their parent, siblings by start', () => {
  const root = spanOf({ spanId: 'root' })
  const late = spanOf({ spanId: 'late', parentSpanId: 'root', name: 'late', startNs: root.startNs + 9n })
  const early = spanOf({ spanId: 'early', parentSpanId: 'root', name: 'early', startNs: root.startNs + 3n })
  const inner = spanOf({ spanId: 'inner', parentSpanId: 'early', name: 'inner', startNs: root.startNs + 4n })
  const { rows } = buildWaterfall([late, inner, root, early])
  expect(rows.map((row) => [row.name, row.depth])).toEqual([
    ['GET /products', 0],
    ['early', 1],
    ['inner', 2],
    ['late', 1],
  ])
})

test('a request whose caller sends no spans is whole and names the trace, though its stall is longer', () => {
  const request = spanOf({ spanId: 'request', parentSpanId: 'load generator', durationNs: 5e6 })
  const stall = spanOf({
    spanId: 'stall',
    parentSpanId: 'request',
    name: 'event_loop.stall',
    kind: 'internal',
    durationNs: 6e6,
  })
  expect(buildWaterfall([stall, request])).toMatchObject({ name: request.name, orphans: 0 })
  const lost = spanOf({ spanId: 'lost', parentSpanId: 'never received', kind: 'internal' })
  expect(buildWaterfall([stall, request, lost])).toMatchObject({ name: request.name, orphans: 1 })
})

test('four equal calls stay apart, five fold into two and the rest', () => {
  expect(buildWaterfall(nPlusOneTrace(4)).rows.filter((row) => row.folded > 0)).toEqual([])
  const [folded] = buildWaterfall(nPlusOneTrace(5)).rows.filter((row) => row.folded > 0)
  expect(folded).toMatchObject({ folded: 3, startMs: 8 })
  expect(folded?.durationMs).toBeCloseTo(11.9, 6)
})

test('a span without its parent is shown and counted', () => {
  const waterfall = buildWaterfall([spanOf({ spanId: 'a' }), spanOf({ spanId: 'b', parentSpanId: 'lost' })])
  expect(waterfall.orphans).toBe(1)
  expect(waterfall.rows).toHaveLength(2)
})

test('whatever the parents, loops too, every span is in exactly one line or fold', () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  const edges = fc.array(fc.tuple(fc.constantFrom(...ids), fc.constantFrom(...ids, '', 'lost')), {
    maxLength: 8,
  })
  fc.assert(
    fc.property(edges, (pairs) => {
      const unique = [...new Map(pairs).entries()]
      const spans = unique.map(([spanId, parentSpanId]) => spanOf({ spanId, parentSpanId, name: 'same' }))
      const { rows } = buildWaterfall(spans)
      const shown = rows.reduce((sum, row) => sum + Math.max(1, row.folded), 0)
      expect(shown).toBe(spans.length)
    }),
  )
})

test('a bound on lines says what it left out', () => {
  const spans = Array.from({ length: 31 }, (_, index) => spanOf({ spanId: `s${index}`, name: `n${index}` }))
  expect(buildWaterfall(spans, { maxRows: 17 }).leftOut).toBe(14)
})
