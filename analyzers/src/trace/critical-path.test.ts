import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testSpan } from '../testing/spans.ts'
import { criticalPath, pathTimeMs } from './critical-path.ts'
import { attributePath, edgeGaps } from './edge-attribution.ts'
import { buildTraceTree, maxSpansPerTrace } from './trace-tree.ts'

const tree = (...spans: Parameters<typeof buildTraceTree>[0]) => buildTraceTree(spans)!
const onPath = (t: ReturnType<typeof tree>, spanId: string) =>
  pathTimeMs(criticalPath(t.root), (node) => node.span.spanId === spanId)

describe('critical path', () => {
  test('a sibling that ends exactly where the next one starts is on it (half-open intervals)', () => {
    const t = tree(testSpan('root', '', 0, 10), testSpan('a', 'root', 0, 4), testSpan('b', 'root', 4, 6))
    expect(onPath(t, 'a')).toBe(4)
    expect(onPath(t, 'b')).toBe(6)
  })

  test('siblings that overlap by less than max(1 %, 1 ms) are sequential, by more are parallel', () => {
    const slightly = tree(
      testSpan('root', '', 0, 300),
      testSpan('a', 'root', 0, 201.9),
      testSpan('b', 'root', 200, 100),
    )
    expect(onPath(slightly, 'a')).toBe(200)
    const parallel = tree(
      testSpan('root', '', 0, 300),
      testSpan('a', 'root', 0, 203),
      testSpan('b', 'root', 200, 100),
    )
    expect(onPath(parallel, 'a')).toBe(0)
  })

  test('short parallel siblings stay parallel in spite of the tolerance', () => {
    const t = tree(testSpan('root', '', 0, 2), testSpan('a', 'root', 0, 0.8), testSpan('b', 'root', 0, 0.9))
    expect(onPath(t, 'a')).toBe(0)
  })

  test('children are clamped into their parent; time that no child explains is named', () => {
    const t = tree(testSpan('root', '', 0, 10), testSpan('late', 'root', 8, 3))
    const path = criticalPath(t.root)
    expect(path.map(({ kind, startMs, endMs }) => ({ kind, startMs, endMs }))).toEqual([
      { kind: 'unattributed', startMs: 0, endMs: 8 },
      { kind: 'work', startMs: 8, endMs: 10 },
    ])
  })

  test('a child mostly behind its parent is not waited for, and what lies below keeps its times', () => {
    const t = tree(
      testSpan('click', '', 0, 24),
      testSpan('fetch', 'click', 10, 490, { kind: 'client' }),
      testSpan('route', 'fetch', 50, 400, { kind: 'server' }),
    )
    expect(onPath(t, 'fetch')).toBe(0)
    const route = t.nodes.find(({ span }) => span.spanId === 'route')!
    expect([route.startMs, route.endMs, route.detached]).toEqual([50, 450, false])
  })

  test('consumers are off the path', () => {
    const t = tree(
      testSpan('root', '', 0, 100),
      testSpan('send', 'root', 0, 10, { kind: 'producer' }),
      testSpan('receive', 'send', 20, 60, { kind: 'consumer' }),
    )
    expect(onPath(t, 'receive')).toBe(0)
    expect(onPath(t, 'send')).toBe(10)
  })

  test('a callee with a clock of its own is put into its call', () => {
    const t = tree(
      testSpan('call', '', 0, 30, { kind: 'client' }),
      testSpan('serve', 'call', -5000, 20, { kind: 'server', service: 'b' }),
      testSpan('query', 'serve', -4990, 10, { kind: 'client', service: 'b' }),
    )
    expect(t.root.span.spanId).toBe('call')
    expect(onPath(t, 'serve')).toBeCloseTo(20)
    expect(onPath(t, 'query')).toBeCloseTo(10)
  })

  test('a chain as deep as the cap does not overflow the stack', () => {
    const spans = Array.from({ length: maxSpansPerTrace + 5 }, (_, i) =>
      testSpan(`s${i}`, i === 0 ? '' : `s${i - 1}`, i / 1000, 100 - i / 1000),
    )
    const t = tree(...spans)
    expect(t.capped).toBe(true)
    expect(t.whole).toBe(false)
    expect(criticalPath(t.root).length).toBeGreaterThan(0)
  })

  test('repeats count once, missing parents are orphans, circles are cut', () => {
    const t = tree(
      testSpan('root', '', 0, 10),
      testSpan('root', '', 0, 10),
      testSpan('lost', 'nowhere', 1, 2),
      testSpan('x', 'y', 3, 1),
      testSpan('y', 'x', 3, 1),
    )
    expect(t.duplicates).toBe(1)
    expect(t.orphans.map((node) => node.span.spanId)).toEqual(['lost', 'y'])
    expect(t.whole).toBe(false)
  })

  test('segments are disjoint, in order, and add up to the root, whatever the trace', () => {
    const spans = fc.array(
      fc.record({
        parent: fc.nat(),
        start: fc.nat(1000),
        duration: fc.nat(1000),
        kind: fc.constantFrom('internal', 'client', 'server', 'consumer'),
      }),
      { minLength: 1, maxLength: 40 },
    )
    fc.assert(
      fc.property(spans, (list) => {
        const t = tree(
          ...list.map((s, i) =>
            testSpan(
              `s${i}`,
              i === 0 ? '' : `s${s.parent % i}`,
              i === 0 ? 0 : s.start,
              i === 0 ? 1000 : s.duration,
              {
                kind: i === 0 ? 'server' : (s.kind as 'internal'),
              },
            ),
          ),
        )
        const path = criticalPath(t.root)
        let cursor = t.root.startMs
        for (const segment of path) {
          expect(segment.startMs).toBeCloseTo(cursor, 6)
          cursor = segment.endMs
        }
        expect(cursor).toBeCloseTo(t.root.endMs, 6)
      }),
    )
  })
})

describe('edge attribution', () => {
  const call = (gapMs: number, workMs: number) =>
    tree(
      testSpan('GET /a', '', 0, 100, { kind: 'server' }),
      testSpan('call', 'GET /a', 10, gapMs + workMs, { kind: 'client' }),
      testSpan('GET /b', 'call', 10 + gapMs / 2, workMs, { kind: 'server', service: 'b' }),
    )

  test('a slow network ranks the edge first, not the caller', () => {
    const t = call(60, 10)
    expect(edgeGaps(t)[0]).toMatchObject({ caller: 'api', callee: 'b', gapMs: 60 })
    expect(attributePath(criticalPath(t.root))[0]).toEqual({
      kind: 'edge',
      caller: 'api',
      callee: 'b',
      ms: 60,
    })
  })

  test('a busy callee ranks the callee first', () => {
    expect(attributePath(criticalPath(call(2, 70).root))[0]).toMatchObject({
      kind: 'node',
      service: 'b',
      ms: 70,
    })
  })
})
