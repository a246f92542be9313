import { performance } from 'node:perf_hooks'
import { active } from '../core/runtime.ts'
import type { AgentSpan } from '../core/span.ts'
import { spanOf } from '../core/tracer.ts'

/** The span that a record written now belongs to; undefined outside of one, and where nothing is traced. */
export const spanOfRecord = (): AgentSpan | undefined =>
  spanOf(active.getStore(), performance.now()) ?? undefined

/** Trace flags as two hex digits, the way the stock instrumentations write them. */
export const flagsText = (span: AgentSpan): string => span.trace.flags.toString(16).padStart(2, '0')
