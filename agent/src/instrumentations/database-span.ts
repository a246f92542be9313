import { performance } from 'node:perf_hooks'
import { attr, hotspanAttribute } from '@hotspan/otlp'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { active } from '../core/runtime.ts'
import { type AgentSpan, Kind, Status } from '../core/span.ts'
import { beginSpan, spanOf } from '../core/tracer.ts'
import { encodeKey } from '../encode/attribute-key.ts'
import { captureAttributes } from '../encode/captured-attributes.ts'
import { type CallSite, captureCallSite } from './call-site.ts'

/** What the settings say about databases. */
export const databaseOptions = { callSites: false, poolWaitMs: 1 }

/** Keys of the database conventions, encoded once. */
export const databaseKey = {
  system: encodeKey(attr.dbSystemName),
  namespace: encodeKey(attr.dbNamespace),
  collection: encodeKey(attr.dbCollectionName),
  text: encodeKey(attr.dbQueryText),
  summary: encodeKey(attr.dbQuerySummary),
  operation: encodeKey(attr.dbOperationName),
  batchSize: encodeKey(attr.dbOperationBatchSize),
  rows: encodeKey(attr.dbResponseReturnedRows),
  status: encodeKey(attr.dbResponseStatusCode),
  errorType: encodeKey(attr.errorType),
  address: encodeKey(attr.serverAddress),
  port: encodeKey(attr.serverPort),
  parameters: encodeKey(hotspanAttribute.dbParametersHash.name),
}

/** `db.system.name`, namespace and server, encoded. A host that is a path is a unix socket, which has no port. */
export function encodeTarget(
  system: string,
  namespace: string | undefined,
  host: string | undefined,
  port: number | string | undefined,
): Uint8Array {
  return captureAttributes((encoder) => {
    encoder.text(databaseKey.system, system)
    if (namespace) encoder.text(databaseKey.namespace, namespace)
    if (!host) return
    encoder.text(databaseKey.address, host)
    const number = Number(port)
    if (port !== undefined && Number.isSafeInteger(number) && !host.startsWith('/')) {
      encoder.int(databaseKey.port, number)
    }
  })
}

/**
 * A CLIENT span for a call that is made now, or null where nothing is traced. `needsParent`: no span outside a trace, for
 * clients whose own upkeep would otherwise fill the store with roots.
 */
export function beginDatabaseSpan(name: string, needsParent: boolean): AgentSpan | null {
  const startMs = performance.now()
  const context = active.getStore()
  const parent = spanOf(context, startMs)
  if (parent === null || (needsParent && parent === undefined)) return null
  const span = beginSpan(parent, context ?? EMPTY_CONTEXT, 0, Kind.Client, name, startMs)
  return span.recording ? span : null
}

/** The app's frame that makes this call, when call sites are asked for. */
export const callSiteNow = (): CallSite | undefined =>
  databaseOptions.callSites ? captureCallSite() : undefined

export function failSpan(span: AgentSpan, message: string): void {
  span.statusCode = Status.Error
  span.statusMessage = message
}

export function endSpan(span: AgentSpan): void {
  const nowMs = performance.now()
  span.endAt(nowMs, nowMs)
}
