import { performance } from 'node:perf_hooks'
import { attr, hotspanAttribute } from '@hotspan/otlp'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { AgentSpan, Kind } from '../core/span.ts'
import { randomBits, type Trace } from '../core/trace.ts'
import { newTrace } from '../core/tracer.ts'
import { encodeKey } from '../encode/attribute-key.ts'
import type { SpanEncoder } from '../encode/span-encoder.ts'
import type { Stall } from './stall-watch.ts'

/** The function that most samples of a stall were in. */
export interface BlockingFrame {
  readonly functionName: string
  readonly filePath: string
  readonly lineNumber: number
  /** Samples that name it. */
  readonly samples: number
  /** Stack of one of them, innermost first, a frame per line. */
  readonly stack: string
}

const key = {
  duration: encodeKey(hotspanAttribute.stallDuration.name),
  cpuTime: encodeKey(hotspanAttribute.stallCpuTime.name),
  samples: encodeKey(hotspanAttribute.stallSamples.name),
  utilization: encodeKey(hotspanAttribute.eventLoopUtilization.name),
  uptime: encodeKey(hotspanAttribute.processUptime.name),
  functionName: encodeKey(attr.codeFunctionName),
  filePath: encodeKey(attr.codeFilePath),
  lineNumber: encodeKey(attr.codeLineNumber),
  stack: encodeKey(attr.codeStacktrace),
}

/** Makes and ends the `event_loop.stall` span: a child of the blocking request's first span here, or a root. */
export function emitStall(stall: Stall, blocking: Trace | undefined, frame: BlockingFrame | undefined): void {
  const known = blocking?.sampled === true && blocking.rootLow !== 0
  const trace = known ? blocking : newTrace(stall.startMs)
  const span = new AgentSpan(
    trace,
    randomBits(),
    randomBits() || 1,
    known ? trace.rootHigh : 0,
    known ? trace.rootLow : 0,
    false,
    false,
    0,
    Kind.Internal,
    'event_loop.stall',
    stall.startMs,
    EMPTY_CONTEXT,
  )
  span.ref1 = stall
  span.ref2 = frame ?? null
  span.number1 = process.uptime() - (performance.now() - stall.startMs) / 1000
  span.late = writeStall
  // Not through `runtime.touched`: this end tells nothing about who runs.
  span.endQuietly(stall.endMs)
}

function writeStall(encoder: SpanEncoder, span: AgentSpan): void {
  const stall = span.ref1 as Stall
  const frame = span.ref2 as BlockingFrame | null
  encoder.double(key.duration, stall.endMs - stall.startMs)
  encoder.double(key.cpuTime, stall.cpuMs)
  encoder.double(key.utilization, stall.utilization)
  encoder.double(key.uptime, span.number1)
  if (frame === null) return
  encoder.int(key.samples, frame.samples)
  encoder.text(key.functionName, frame.functionName)
  encoder.text(key.filePath, frame.filePath)
  if (frame.lineNumber > 0) encoder.int(key.lineNumber, frame.lineNumber)
  encoder.text(key.stack, frame.stack)
}
