import type { Span, SpanOptions, Tracer } from '@opentelemetry/api'
import { afterEach, expect, test } from 'vitest'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { active, runtime } from '../core/runtime.ts'
import { type AgentSpan, Kind } from '../core/span.ts'
import { AgentTracer, beginSpan } from '../core/tracer.ts'
import { NextTracer } from './next.ts'

const keep = runtime.ended
afterEach(() => {
  runtime.ended = keep
})

/** What Next.js asks for inside a request, and what comes out of it. */
function started(name: string, options: SpanOptions): { server: AgentSpan; span: AgentSpan } {
  const server = beginSpan(undefined, EMPTY_CONTEXT, 0, Kind.Server, 'GET', performance.now())
  const tracer: Tracer = new NextTracer(new AgentTracer(1))
  const span = active.run(server, () =>
    tracer.startActiveSpan(name, options, (made: Span) => made),
  ) as AgentSpan
  return { server, span }
}

test('the root span of Next.js is not a second SERVER span', () => {
  const { server, span } = started('GET /items/7', {
    kind: Kind.Server,
    attributes: { 'next.span_type': 'BaseServer.handleRequest', 'http.target': '/items/7?token=hunter2&a' },
  })
  expect([span.kind, span.parentLow]).toEqual([Kind.Internal, server.low])
  expect(span.attributes).toContain('/items/7?token=REDACTED&a')
})

test.each([
  ['resolve page components', { 'next.route': '/items/[id]' }, '/items/[id]'],
  ['resolve page components', { 'next.route': '/_not-found' }, ''],
  ['executing api route (pages) /api/old/[id]', { 'next.span_type': 'Node.runHandler' }, '/api/old/[id]'],
])('%s: the route that the request has then', (name, attributes, route) => {
  expect(started(name, { attributes }).server.route).toBe(route)
})

test('its fetch is no second CLIENT span, and its name has no URL', () => {
  const name = 'fetch GET http://user:pass@host/x?key=hunter2'
  const { span } = started(name, {
    kind: Kind.Client,
    attributes: { 'next.span_name': name, 'http.url': 'http://user:pass@host/x?key=hunter2' },
  })
  expect([span.kind, span.name]).toEqual([Kind.Internal, 'fetch GET'])
  expect(span.attributes).toEqual(['next.span_name', 'fetch GET', 'http.url', 'http://host/x?key=REDACTED'])
})

test('outside a request nothing is changed', () => {
  const span = new NextTracer(new AgentTracer(1)).startSpan('load', {
    kind: Kind.Server,
    attributes: {},
  }) as AgentSpan
  expect([span.name, span.kind]).toEqual(['load', Kind.Server])
})
