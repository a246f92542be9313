import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testSpan } from '../testing/spans.ts'
import { criticalPath, pathTimeMs } from './critical-path.ts'
import { dragMs, slackBySpan } from './drag-and-slack.ts'
import { retime } from './retime.ts'
import { buildTraceTree } from './trace-tree.ts'

const tree = (...spans: Parameters<typeof buildTraceTree>[0]) => buildTraceTree(spans)!

test('nothing changes without an edit', () => {
  const t = tree(testSpan('root', '', 0, 50), testSpan('a', 'root', 5, 10), testSpan('b', 'root', 20, 30))
  expect(retime(t.root, []).savedMs).toBeCloseTo(0, 9)
})

test('what follows a shortened span moves up, the gaps stay', () => {
  const t = tree(
    testSpan('root', '', 0, 100),
    testSpan('a', 'root', 5, 40),
    testSpan('b', 'root', 50, 45),
    testSpan('b1', 'b', 60, 20),
  )
  expect(retime(t.root, [{ kind: 'shorten', spanId: 'a', toMs: 10 }]).savedMs).toBeCloseTo(30)
  expect(retime(t.root, [{ kind: 'remove', spanId: 'b1' }]).savedMs).toBeCloseTo(20)
})

test('of two parallel calls the shorter one saves nothing, the longer one up to the shorter', () => {
  const t = tree(testSpan('root', '', 0, 100), testSpan('a', 'root', 0, 100), testSpan('b', 'root', 0, 70))
  expect(dragMs(t.root, 'b')).toBeCloseTo(0)
  expect(dragMs(t.root, 'a')).toBeCloseTo(30)
  expect(slackBySpan(t.root).get('b')).toBeCloseTo(30)
  expect(slackBySpan(t.root).get('a')).toBeCloseTo(0)
})

test('pessimistic waits for all that ended before, optimistic for the last one', () => {
  const t = tree(
    testSpan('root', '', 0, 120),
    testSpan('a', 'root', 0, 60),
    testSpan('b', 'root', 0, 50),
    testSpan('c', 'root', 60, 60),
  )
  const edits = [{ kind: 'remove', spanId: 'a' } as const]
  expect(retime(t.root, edits).savedMs).toBeCloseTo(10)
  expect(retime(t.root, edits, 'optimistic')).toMatchObject({ savedMs: 60, assumption: 'optimistic' })
})

test('calls made parallel take as long as the longest, or waves of the width', () => {
  const t = tree(
    testSpan('root', '', 0, 200),
    testSpan('a', 'root', 0, 50),
    testSpan('b', 'root', 51, 60),
    testSpan('c', 'root', 112, 70),
  )
  const together = (width: number) =>
    retime(t.root, [{ kind: 'parallelise', spanIds: ['a', 'b', 'c'], width }]).afterMs
  expect(together(3)).toBeCloseTo(70 + 18)
  expect(together(2)).toBeCloseTo(50 + 70 + 18)
  expect(together(1)).toBeCloseTo(50 + 60 + 70 + 18)
})

test('edits never make a trace longer and never save more than the path time of the edited spans', () => {
  const shape = fc.array(fc.record({ parent: fc.nat(), start: fc.nat(1000), duration: fc.nat(600) }), {
    minLength: 2,
    maxLength: 30,
  })
  fc.assert(
    fc.property(shape, fc.nat(), (list, pick) => {
      const t = tree(
        ...list.map((s, i) =>
          testSpan(
            `s${i}`,
            i === 0 ? '' : `s${s.parent % i}`,
            i === 0 ? 0 : s.start,
            i === 0 ? 1000 : s.duration,
          ),
        ),
      )
      const spanId = `s${1 + (pick % (list.length - 1))}`
      const { savedMs } = retime(t.root, [{ kind: 'remove', spanId }])
      expect(savedMs).toBeGreaterThanOrEqual(-1e-6)
      const node = t.nodes.find((n) => n.span.spanId === spanId)!
      expect(savedMs).toBeLessThanOrEqual(node.endMs - node.startMs + 1e-6)
      if (pathTimeMs(criticalPath(t.root), (n) => n === node) > 3) expect(savedMs).toBeGreaterThanOrEqual(0)
    }),
  )
})
