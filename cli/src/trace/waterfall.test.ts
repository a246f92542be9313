import fc from 'fast-check'
import { expect, test } from 'vitest'
import { notesOf } from '../render/span-notes.ts'
import { renderWaterfallText } from '../render/waterfall-text.ts'
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

test('components of React commits and scripts of long frames stand below their span', () => {
  const event = (name: string, attributes: Record<string, string>) => ({ timeNs: 0n, name, attributes })
  const card = event('hotspan.react.component', {
    'hotspan.react.component': 'ProductCard',
    'hotspan.react.renders': '50',
    'hotspan.react.compared': '48',
    'hotspan.react.wasted': '48',
    'hotspan.react.reasons': 'ref:style=50',
    'hotspan.react.cascade_root': 'Home',
    'code.file.path': 'src/product-card.tsx',
    'code.line.number': '3',
  })
  const script = event('script', {
    'hotspan.long_frame.script.invoker': 'BUTTON.onclick',
    'hotspan.long_frame.script.duration': '120',
    'hotspan.long_frame.script.forced_layout': '0',
    'code.function.name': 'onBuy',
    'code.file.path': 'src/home.tsx',
    'code.line.number': '25',
  })
  const commits = spanOf({
    spanId: 'commits',
    name: 'react.commits',
    kind: 'internal',
    events: [card, script, card, card],
  })
  const waterfall = buildWaterfall([commits])
  expect(notesOf(waterfall.rows[0]!.events).slice(0, 2)).toEqual([
    'ProductCard (src/product-card.tsx:3): 50 renders, 48 of 48 changed nothing, ref:style=50, with Home',
    'onBuy (src/home.tsx:25): 120 ms, invoked by BUTTON.onclick',
  ])
  const text = renderWaterfallText(waterfall, { width: 160 })
  expect(text).toContain('ProductCard (src/product-card.tsx:3)')
  expect(text).toContain('1 more; --all shows them')
  expect(renderWaterfallText(waterfall, { statements: true })).not.toContain('--all shows them')
})

test("a page's trace is named with the time of its load, and says how long it goes on", () => {
  const load = spanOf({ spanId: 'load', name: 'documentLoad', kind: 'internal', durationNs: 107e6 })
  const click = spanOf({
    spanId: 'click',
    parentSpanId: 'load',
    name: 'click',
    startNs: load.startNs + 3_000_000_000n,
    durationNs: 50e6,
  })
  const text = renderWaterfallText(buildWaterfall([load, click]))
  expect(text).toMatch(/^documentLoad {3}107 ms/)
  expect(text).toMatch(/3,050 ms until the end of its last span/)
})
