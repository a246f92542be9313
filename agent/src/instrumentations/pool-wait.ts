import { performance } from 'node:perf_hooks'
import type { Context } from '@opentelemetry/api'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { runtime } from '../core/runtime.ts'
import { type AgentSpan, Kind } from '../core/span.ts'
import { beginSpan, spanOf } from '../core/tracer.ts'
import type { SpanEncoder } from '../encode/span-encoder.ts'
import { fault } from '../faults.ts'
import type { PoolState } from '../metrics/pool-metrics.ts'
import { databaseKey, databaseOptions, failSpan } from './database-span.ts'
import { errorTypeOf } from './error-type.ts'

/** What differs between the pools of two drivers. */
export interface PoolKind<P extends object> {
  readonly instrumentation: string
  readonly spanName: string
  readonly stateOf: (pool: P) => PoolState
  /** Encoded `db.system.name`, namespace and server. `client` is what the pool gave, if it did. */
  readonly targetOf: (pool: P, client: unknown) => Uint8Array
}

/** A request for a connection, from the call to the pool's answer. */
export interface PoolWait<P extends object> {
  readonly pool: P
  /** Context of the caller. */
  readonly context: Context | undefined
  readonly startMs: number
  /** The pool opens a connection for it. */
  opened: boolean
}

/** Measures the wait, and makes a span of it when it was one: long enough, failed, or for a new connection. Never throws. */
export function endPoolWait<P extends object>(
  kind: PoolKind<P>,
  { pool, context, startMs, opened }: PoolWait<P>,
  error: unknown,
  client: unknown,
): void {
  try {
    const nowMs = performance.now()
    if (runtime.poolMetrics !== null && !error)
      runtime.poolMetrics.waited(pool, kind.stateOf, (nowMs - startMs) / 1000)
    if (!opened && nowMs - startMs < databaseOptions.poolWaitMs && !error) return
    const parent = spanOf(context, nowMs)
    if (parent === null) return
    const span = beginSpan(parent, context ?? EMPTY_CONTEXT, 0, Kind.Client, kind.spanName, startMs)
    if (!span.recording) return
    span.ref1 = kind.targetOf(pool, client)
    span.late = writeWaitSpan
    if (error) {
      failSpan(span, error instanceof Error ? error.message : '')
      span.text1 = errorTypeOf(error)
    }
    span.endAt(nowMs, nowMs)
  } catch (ours) {
    fault(kind.instrumentation, ours)
  }
}

function writeWaitSpan(encoder: SpanEncoder, span: AgentSpan): void {
  encoder.raw(span.ref1 as Uint8Array)
  if (span.text1 !== '') encoder.text(databaseKey.errorType, span.text1)
}
