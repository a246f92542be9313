import { expect, test } from 'vitest'
import { spanOf } from '../testing/reports.ts'
import { criticalSpanIds } from './critical-spans.ts'

const atMs = (ms: number) => ({ startNs: 1_777_888_999_000_000_000n + BigInt(ms) * 1_000_000n })
const web = { service: 'shop-web', kind: 'internal' as const }

test('a request that a route change caused has a critical path of its own', () => {
  const spans = [
    spanOf({ spanId: 'route', name: 'route /search', ...web, ...atMs(0), durationNs: 0 }),
    spanOf({ spanId: 'commit', parentSpanId: 'route', ...web, ...atMs(1), durationNs: 3e6 }),
    spanOf({ spanId: 'fetch', parentSpanId: 'route', ...web, kind: 'client', ...atMs(5), durationNs: 90e6 }),
    spanOf({ spanId: 'request', parentSpanId: 'fetch', ...atMs(10), durationNs: 80e6 }),
    spanOf({ spanId: 'slow', parentSpanId: 'request', kind: 'client', ...atMs(15), durationNs: 70e6 }),
    spanOf({ spanId: 'beside', parentSpanId: 'request', kind: 'client', ...atMs(16), durationNs: 5e6 }),
  ]
  expect(criticalSpanIds(spans)).toEqual(new Set(['route', 'fetch', 'request', 'slow']))
})

test('nothing of nothing', () => {
  expect(criticalSpanIds([])).toEqual(new Set())
})
