import { type Route, type RouteResponse, spansOfTraces } from '@hotspan/collector'
import { exampleTraceIds } from '../render/finding-facts.ts'
import { renderHtml } from '../render/html.ts'
import { renderTraceHtml } from '../render/html-waterfall.ts'
import { renderJson } from '../render/json.ts'
import { reportError } from '../run-error.ts'
import { criticalSpanIds } from '../trace/critical-spans.ts'
import { around, findTrace } from '../trace/find-trace.ts'
import { traceDocument } from '../trace/trace-document.ts'
import { exceptionsOf } from '../trace/trace-exceptions.ts'
import { buildWaterfall } from '../trace/waterfall.ts'
import type { LiveReport } from './live-report.ts'

const json = (status: number, document: unknown): RouteResponse => ({
  status,
  headers: { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' },
  body: renderJson(document),
})

const html = (status: number, body: string): RouteResponse => ({
  status,
  headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' },
  body,
})

const notFound = (error: unknown): RouteResponse => {
  const { text, exit } = reportError(error, false)
  return json(exit === 70 ? 500 : 404, { schemaVersion: 1, error: text })
}

/** Page and JSON API of the private listener: findings as they stand, and single traces. */
export const apiRoutes = (live: LiveReport): Route[] => {
  const traceOf = async (id: string) => {
    const found = await findTrace(live.store, id)
    const spans = await spansOfTraces(live.store, found, [found.traceId])
    return { spans, exceptions: await exceptionsOf(live.store, found) }
  }
  return [
    {
      method: 'GET',
      path: '/',
      handle: async () => {
        const { report, digest } = await live.current()
        const ids = exampleTraceIds(report)
        const traces = ids.length === 0 ? [] : await spansOfTraces(live.store, around(report.window), ids)
        return html(200, renderHtml(report, { traces, liveDigest: digest, storeLine: live.storeLine }))
      },
    },
    {
      method: 'GET',
      path: '/api/v1/findings',
      handle: async () => {
        const { report, digest } = await live.current()
        return json(200, { ...report, digest })
      },
    },
    {
      method: 'GET',
      path: '/api/v1/traces/:traceId',
      handle: async (request) => {
        try {
          const { spans, exceptions } = await traceOf(request.params.traceId ?? '')
          return json(200, traceDocument(spans, exceptions))
        } catch (error) {
          return notFound(error)
        }
      },
    },
    {
      method: 'GET',
      path: '/traces/:traceId',
      handle: async (request) => {
        try {
          const { spans, exceptions } = await traceOf(request.params.traceId ?? '')
          const waterfall = buildWaterfall(spans, { criticalSpanIds: criticalSpanIds(spans) })
          return html(200, renderTraceHtml(waterfall, exceptions))
        } catch (error) {
          return notFound(error)
        }
      },
    },
  ]
}
