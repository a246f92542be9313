import { fault, faultCount } from '../faults.ts'
import { type WrappableClass, wrapMethod } from '../instrumentations/wrap-method.ts'
import { epochNs, type LogContent, type LogQueue } from './log-queue.ts'
import { anyValue, logAttributes } from './log-value.ts'
import { flagsText, spanOfRecord } from './trace-fields.ts'

const NAME = 'winston'
const count = faultCount(NAME)

/** Where logform keeps the level that formats (colours) leave alone. */
const LEVEL = Symbol.for('level')

/** Levels of npm's, syslog's and the cli's lists to OTLP's. */
const SEVERITIES: Readonly<Record<string, number>> = {
  silly: 1,
  input: 1,
  trace: 1,
  debug: 5,
  prompt: 5,
  verbose: 6,
  http: 6,
  data: 9,
  help: 9,
  info: 9,
  notice: 10,
  warn: 13,
  warning: 13,
  error: 17,
  crit: 18,
  alert: 19,
  emerg: 21,
  fatal: 21,
}

interface WinstonLogger {
  readonly level?: string
  readonly levels?: Readonly<Record<string, number>>
}

type Info = Record<string | symbol, unknown>

/**
 * Joins winston's records to traces: `trace_id`, `span_id` and `trace_flags` on each before its formats run, as the stock
 * instrumentation does, and the formatted record as an OTLP record when there is a queue.
 */
export function instrumentWinston(queue: LogQueue | undefined): (exports: unknown) => void {
  return (exports) => {
    const { Logger } = exports as { Logger?: WrappableClass }
    if (Logger?.prototype === undefined) return
    wrapMethod(Logger.prototype, 'write', (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        if (!count.off) {
          try {
            join(args[0])
          } catch (error) {
            fault(NAME, error)
          }
        }
        return original.apply(this, args)
      }
    })
    if (queue === undefined) return
    // A logger is a stream: what its formats made is pushed on to the transports.
    wrapMethod(Logger.prototype, 'push', (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        if (!count.off) {
          try {
            send(queue, this as WinstonLogger, args[0])
          } catch (error) {
            fault(NAME, error)
          }
        }
        return original.apply(this, args)
      }
    })
  }
}

function join(record: unknown): void {
  if (typeof record !== 'object' || record === null || Object.isFrozen(record)) return
  const span = spanOfRecord()
  if (span === undefined) return
  const info = record as Info
  info.trace_id = span.trace.traceId
  info.span_id = span.spanId
  info.trace_flags = flagsText(span)
}

const LEAVE_OUT = new Set(['level', 'message', 'timestamp', 'trace_id', 'span_id', 'trace_flags', 'stack'])
const ERROR_KEYS = new Set(['err', 'error'])

function send(queue: LogQueue, logger: WinstonLogger, record: unknown): void {
  // A format that answers false holds the record back.
  if (typeof record !== 'object' || record === null) return
  const info = record as Info
  const level = String(info[LEVEL] ?? info.level ?? '')
  const { levels } = logger
  const least = logger.level === undefined ? undefined : levels?.[logger.level]
  const own = levels?.[level]
  if (least !== undefined && own !== undefined && own > least) return
  const observedMs = Date.now()
  const content = contentOf(info, level, observedMs)
  const traceId =
    typeof info.trace_id === 'string' && /^[0-9a-f]{32}$/.test(info.trace_id) ? info.trace_id : ''
  const spanId = typeof info.span_id === 'string' && /^[0-9a-f]{16}$/.test(info.span_id) ? info.span_id : ''
  queue.add({
    scope: NAME,
    observedMs,
    traceId,
    spanId,
    flags: traceId === '' ? 0 : Number.parseInt(String(info.trace_flags), 16) || 0,
    bytes: sizeOf(content),
    read: () => content,
  })
}

/** Read at once: the record is the app's, who may change it. */
function contentOf(info: Info, level: string, observedMs: number): LogContent {
  const timestampMs = typeof info.timestamp === 'string' ? Date.parse(info.timestamp) : Number.NaN
  const fields = info as Record<string, unknown>
  const { attributes, dropped } = logAttributes(fields, LEAVE_OUT, ERROR_KEYS)
  if (typeof info.stack === 'string') attributes.push({ key: 'exception.stacktrace', value: info.stack })
  return {
    timeUnixNano: epochNs(Number.isFinite(timestampMs) ? timestampMs : observedMs),
    severityNumber: SEVERITIES[level] ?? 0,
    severityText: level,
    body: anyValue(info.message ?? ''),
    attributes,
    droppedAttributesCount: dropped,
  }
}

const sizeOf = ({ body, attributes }: LogContent): number =>
  256 + textSize(body) + attributes.reduce((sum, { key, value }) => sum + key.length * 2 + textSize(value), 0)

const textSize = (value: unknown): number => (typeof value === 'string' ? value.length * 2 : 64)
