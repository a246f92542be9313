import { performance } from 'node:perf_hooks'
import { attr, hotspanAttribute } from '@hotspan/otlp'
import type { Attributes } from '@opentelemetry/api'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { active, runtime } from '../core/runtime.ts'
import { type AgentSpan, Kind, Status } from '../core/span.ts'
import { beginSpan, spanOf } from '../core/tracer.ts'
import { encodeKey } from '../encode/attribute-key.ts'
import { captureAttributes } from '../encode/captured-attributes.ts'
import { type CallSite, captureCallSite } from './call-site.ts'

/** What the settings say about databases. */
export const databaseOptions = { callSites: false, poolWaitMs: 1 }

/** Keys of the database conventions, encoded once. */
export const databaseKey = {
  collection: encodeKey(attr.dbCollectionName),
  text: encodeKey(attr.dbQueryText),
  summary: encodeKey(attr.dbQuerySummary),
  operation: encodeKey(attr.dbOperationName),
  batchSize: encodeKey(attr.dbOperationBatchSize),
  rows: encodeKey(attr.dbResponseReturnedRows),
  status: encodeKey(attr.dbResponseStatusCode),
  errorType: encodeKey(attr.errorType),
  parameters: encodeKey(hotspanAttribute.dbParametersHash.name),
}

/** A database and its server, in the forms that spans and metrics want: one object for all calls of a connection. */
export interface DatabaseTarget {
  /** `db.system.name`, namespace and server. */
  readonly encoded: Uint8Array
  /** The same for metrics. */
  readonly attributes: Attributes
}

/** A host that is a path is a unix socket, which has no port. */
export function databaseTarget(
  system: string,
  namespace: string | undefined,
  host: string | undefined,
  port: number | string | undefined,
): DatabaseTarget {
  const attributes: Attributes = { [attr.dbSystemName]: system }
  if (namespace) attributes[attr.dbNamespace] = namespace
  if (host) {
    attributes[attr.serverAddress] = host
    const number = Number(port)
    if (port !== undefined && Number.isSafeInteger(number) && !host.startsWith('/')) {
      attributes[attr.serverPort] = number
    }
  }
  const encoded = captureAttributes((encoder) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === 'number') encoder.int(encodeKey(name), value)
      else encoder.text(encodeKey(name), String(value))
    }
  })
  return { encoded, attributes }
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
  return isNoted(span) ? span : null
}

/** Calls in unsampled traces count too, where they are measured. */
export const isNoted = (span: AgentSpan): boolean => span.recording || runtime.databaseMetrics !== null

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

/**
 * Ends the span of a call now, and measures the call: once, also for a driver that tells of an error and of the end. `status` is
 * the database's own code of an error.
 */
export function endCall(
  span: AgentSpan,
  target: DatabaseTarget,
  operation: string,
  collection: string,
  summary: string,
  status: string,
  errorType: string,
): void {
  if (span.ended) return
  const nowMs = performance.now()
  try {
    if (runtime.databaseMetrics !== null) {
      const call = { target: target.attributes, operation, collection, summary, status, errorType }
      runtime.databaseMetrics.called(span, call, (nowMs - span.startMs) / 1000)
    }
  } finally {
    span.endAt(nowMs, nowMs)
  }
}
