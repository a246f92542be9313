import { expect, test } from 'vitest'
import { renderHtml } from '../render/html.ts'
import { findingOf, nPlusOneTrace, reportOf, spanOf, traceId } from '../testing/reports.ts'
import { requestOfFinding } from './request-of-finding.ts'

const page = spanOf({ spanId: 'page', name: 'documentLoad', service: 'shop-web', kind: 'internal' })
const call = spanOf({
  spanId: 'fetch',
  parentSpanId: 'page',
  name: 'GET',
  service: 'shop-web',
  kind: 'client',
})
const request = nPlusOneTrace(3).map((span) =>
  span.spanId === 'root' ? { ...span, parentSpanId: 'fetch' } : span,
)
const image = spanOf({ spanId: 'image', parentSpanId: 'page', name: 'resourceFetch', service: 'shop-web' })
const small = spanOf({ spanId: 'small', parentSpanId: 'page' })
const trace = [image, page, small, ...request, call]
const finding = { service: 'shop-api', operation: 'GET /products' }

test('the largest request of the operation, with what led to it and all below it', () => {
  const ids = requestOfFinding(trace, finding).map(({ spanId }) => spanId)
  expect(new Set(ids)).toEqual(new Set(['page', 'fetch', 'root', 'call0', 'call1', 'call2', 'failed']))
})

test('a trace without such a request is shown whole', () => {
  expect(requestOfFinding(trace, { service: 'shop-web', operation: '/search' })).toEqual(trace)
})

test('a loop of parents ends', () => {
  const loop = ['a', 'b'].map((spanId) => spanOf({ spanId, parentSpanId: spanId === 'a' ? 'b' : 'a' }))
  expect(requestOfFinding(loop, finding).length).toBe(2)
})

test('a report shows the request and says that the trace holds more', () => {
  const report = reportOf({ findings: [findingOf({ operation: 'GET /products', traceIds: [traceId(1)] })] })
  const html = renderHtml(report, { traces: trace })
  expect(html).toContain('the request in its trace of 9 spans')
  expect(html).not.toContain('resourceFetch')
})
