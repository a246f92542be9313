import { fault, faultCount } from '../faults.ts'
import { wrapMethod } from '../instrumentations/wrap-method.ts'
import { epochNs, type LogContent, type LogQueue } from './log-queue.ts'
import { anyValue, logAttributes } from './log-value.ts'
import { jsonFields, spanOfRecord } from './trace-fields.ts'

const NAME = 'pino'
const count = faultCount(NAME)

/** Pino's levels to OTLP's; one in between belongs to the next lower. */
const SEVERITIES: readonly [number, number][] = [
  [60, 21],
  [50, 17],
  [40, 13],
  [30, 9],
  [20, 5],
  [Number.NEGATIVE_INFINITY, 1],
]

type PinoFactory = ((options: object, stream: { write(line: string): void }) => object) & {
  symbols?: Record<string, symbol>
}

/** What a logger knows about the names of its own fields. */
interface PinoLogger {
  readonly levels?: { readonly labels?: Readonly<Record<number, string>> }
  readonly [symbol: symbol]: unknown
}

/**
 * Joins pino's lines to traces: `trace_id`, `span_id` and `trace_flags` on each, as the stock instrumentation names them, and
 * the line as an OTLP record when there is a queue. All loggers share one prototype whose `asJson` makes the line, after
 * serializers and redaction, so what the app hides stays hidden.
 */
export function instrumentPino(queue: LogQueue | undefined): (exports: unknown) => void {
  return (exports) => {
    const pino = exports as PinoFactory
    const asJson = pino.symbols?.asJsonSym
    if (typeof pino !== 'function' || asJson === undefined) return
    const messageKey = pino.symbols?.messageKeySym
    let prototype: object | null = pino({}, { write() {} })
    while (prototype !== null && !Object.hasOwn(prototype, asJson))
      prototype = Object.getPrototypeOf(prototype)
    if (prototype === null) return
    wrapMethod(prototype, asJson, (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        const line = original.apply(this, args)
        if (count.off || typeof line !== 'string') return line
        try {
          return joined(queue, this as PinoLogger, messageKey, args, line)
        } catch (error) {
          fault(NAME, error)
          return line
        }
      }
    })
  }
}

function joined(
  queue: LogQueue | undefined,
  logger: PinoLogger,
  messageKey: symbol | undefined,
  args: unknown[],
  line: string,
): string {
  const span = spanOfRecord()
  if (queue !== undefined) {
    const level = args[2] as number
    const label = logger.levels?.labels?.[level] ?? ''
    const message = messageKey === undefined ? 'msg' : String(logger[messageKey] ?? 'msg')
    queue.add({
      scope: NAME,
      observedMs: Date.now(),
      traceId: span?.trace.traceId ?? '',
      spanId: span?.spanId ?? '',
      flags: span?.trace.flags ?? 0,
      bytes: line.length * 2 + 128,
      read: () => readLine(line, level, label, message),
    })
  }
  if (span === undefined) return line
  const own = args[0] as Record<string, unknown> | null | undefined
  // The record's own field wins, as with pino's mixins.
  if (own?.trace_id !== undefined) return line
  const end = line.lastIndexOf('}')
  if (end < 1) return line
  const comma = line.charCodeAt(end - 1) === 123 ? '' : ','
  return line.slice(0, end) + comma + jsonFields(span) + line.slice(end)
}

const ERROR_KEYS = new Set(['err', 'error'])

/** What the finished line says. The host's and the process's fields are the resource's. */
function readLine(line: string, level: number, label: string, messageKey: string): LogContent {
  const fields = JSON.parse(line) as Record<string, unknown>
  const { time } = fields
  const timeMs = typeof time === 'number' ? time : typeof time === 'string' ? Date.parse(time) : Number.NaN
  const leaveOut = new Set([
    'level',
    'time',
    'pid',
    'hostname',
    messageKey,
    'trace_id',
    'span_id',
    'trace_flags',
  ])
  const { attributes, dropped } = logAttributes(fields, leaveOut, ERROR_KEYS)
  return {
    timeUnixNano: Number.isFinite(timeMs) ? epochNs(timeMs) : 0n,
    severityNumber: SEVERITIES.find(([least]) => level >= least)![1],
    severityText: label,
    body: anyValue(fields[messageKey] ?? ''),
    attributes,
    droppedAttributesCount: dropped,
  }
}
