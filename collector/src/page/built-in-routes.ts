import type { CollectorStats } from '../collector.ts'
import { traceById } from '../queries/trace-by-id.ts'
import { uploadRoute } from '../source-maps/upload-route.ts'
import type { Store } from '../store.ts'
import type { Route } from './routes.ts'

/** Version of the documents that these routes answer with. */
export const apiSchemaVersion = 1

export function builtInRoutes(from: {
  readonly store: Store
  readonly stats: () => CollectorStats
  readonly quarantinedTo: string | null
}): Route[] {
  return [
    uploadRoute(from.store),
    {
      method: 'GET',
      path: '/api/v1/status',
      handle: async () => ({
        body: {
          schemaVersion: apiSchemaVersion,
          project: from.store.project,
          mode: from.store.mode,
          quarantinedTo: from.quarantinedTo,
          stats: from.stats(),
        },
      }),
    },
    {
      method: 'GET',
      path: '/api/v1/traces/:traceId',
      handle: async ({ params, signal }) => {
        const traceId = params.traceId ?? ''
        if (!/^[0-9a-f]{32}$/i.test(traceId)) {
          return {
            status: 400,
            body: { error: { message: `trace id is ${JSON.stringify(traceId)}; expected 32 hex digits` } },
          }
        }
        const spans = await traceById(from.store, traceId, { signal })
        if (spans.length === 0) return { status: 404, body: { error: { message: `no trace ${traceId}` } } }
        return { body: { schemaVersion: apiSchemaVersion, traceId: traceId.toLowerCase(), spans } }
      },
    },
  ]
}
