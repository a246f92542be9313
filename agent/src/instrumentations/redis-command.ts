import type { AgentSpan } from '../core/span.ts'
import type { SpanEncoder } from '../encode/span-encoder.ts'
import { fault } from '../faults.ts'
import type { CallSite } from './call-site.ts'
import {
  beginDatabaseSpan,
  callSiteNow,
  type DatabaseTarget,
  databaseKey,
  databaseTarget,
  endCall,
  endSpan,
  failSpan,
} from './database-span.ts'
import { errorTypeOf } from './error-type.ts'
import { parametersHash } from './parameters-hash.ts'
import { beginsWithKey, describeCommand } from './redis-text.ts'

/** Arguments are compared up to here, UTF-16 units: values may be long, keys are not. */
const HASHED_UNITS = 1024

export interface CommandFacts {
  target: DatabaseTarget
  readonly name: string
  /** The client's own array; read when the span ends. */
  readonly args: readonly unknown[]
  /** Where in it the arguments begin. */
  readonly firstArg: number
  operation: string
  /** Commands that travel together; 0 for a command of its own. */
  batchSize: number
  code: string
  site: CallSite | undefined
}

/** A span for one command, or null where nothing is traced. */
export function beginCommand(spanName: string, needsParent: boolean, facts: CommandFacts): AgentSpan | null {
  const span = beginDatabaseSpan(spanName, needsParent)
  if (span === null) return null
  facts.site = callSiteNow()
  span.ref1 = facts
  span.late = writeCommandSpan
  return span
}

/** The command goes to this server now. */
export function sendTo(span: AgentSpan, target: DatabaseTarget): void {
  const facts = span.ref1 as CommandFacts | null
  if (facts !== null) facts.target = target
}

/** What is known only when the whole batch is sent. */
export function joinBatch(span: AgentSpan, operation: string, batchSize: number): void {
  const facts = span.ref1 as CommandFacts | null
  if (facts === null) return
  facts.operation = operation
  facts.batchSize = batchSize
}

export function finishCommand(instrumentation: string, span: AgentSpan, error: unknown): void {
  try {
    const facts = span.ref1 as CommandFacts | null
    if (facts === null) return
    if (error) {
      failSpan(span, messageOf(error))
      facts.code = codeOf(error)
    }
    const { target, operation, code } = facts
    endCall(span, target, operation, '', '', statusOf(code), code)
  } catch (ours) {
    fault(instrumentation, ours)
  }
}

/** The word in capitals that a reply of Redis begins with (`WRONGTYPE`), else the error's own type. */
function codeOf(error: unknown): string {
  const prefix = /^[A-Z][A-Z0-9_]+(?= )/.exec((error as Error).message ?? '')
  return prefix === null ? errorTypeOf(error) : prefix[0]
}

/** The server quotes arguments of a command that it does not know. */
const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message.replace(/,? with args beginning with:.*$/s, '') : ''

const statusOf = (code: string): string =>
  /^[A-Z][A-Z0-9_]+$/.test(code) && !code.startsWith('ECONN') ? code : ''

function writeCommandSpan(encoder: SpanEncoder, span: AgentSpan): void {
  const { target, name, args, firstArg, operation, batchSize, code, site } = span.ref1 as CommandFacts
  encoder.raw(target.encoded)
  encoder.text(databaseKey.operation, operation)
  encoder.text(databaseKey.text, describeCommand(name, args, firstArg))
  if (batchSize > 1) encoder.int(databaseKey.batchSize, batchSize)
  if (args.length > firstArg && beginsWithKey(name)) {
    const list = firstArg === 0 ? args : args.slice(firstArg)
    encoder.text(databaseKey.parameters, parametersHash(list, undefined, HASHED_UNITS))
  }
  if (code !== '') {
    const status = statusOf(code)
    if (status !== '') encoder.text(databaseKey.status, status)
    encoder.text(databaseKey.errorType, code)
  }
  if (site !== undefined) encoder.raw(site.encoded)
}

/** A span of opening a connection, as the stock packages make it. */
export function beginConnect(
  spanName: string,
  queryText: string,
  target: DatabaseTarget,
  needsParent: boolean,
): AgentSpan | null {
  const span = beginDatabaseSpan(spanName, needsParent)
  if (span === null) return null
  span.ref1 = target.encoded
  span.text2 = queryText
  span.late = writeConnectSpan
  return span
}

export function finishConnect(instrumentation: string, span: AgentSpan, error: unknown): void {
  try {
    if (error) {
      failSpan(span, error instanceof Error ? error.message : '')
      span.text1 = errorTypeOf(error)
    }
    endSpan(span)
  } catch (ours) {
    fault(instrumentation, ours)
  }
}

function writeConnectSpan(encoder: SpanEncoder, span: AgentSpan): void {
  encoder.raw(span.ref1 as Uint8Array)
  if (span.text2 !== '') encoder.text(databaseKey.text, span.text2)
  if (span.text1 !== '') encoder.text(databaseKey.errorType, span.text1)
}

interface KnownTarget {
  readonly database: number | undefined
  readonly target: DatabaseTarget
}

const targets = new WeakMap<object, KnownTarget>()

/** Server and database, kept per options object of a client. */
export function redisTarget(
  options: object,
  database: number | undefined,
  host: string | undefined,
  port: number | string | undefined,
): DatabaseTarget {
  const known = targets.get(options)
  if (known !== undefined && known.database === database) return known.target
  const namespace = database === undefined ? undefined : String(database)
  const target = databaseTarget('redis', namespace, host, port)
  targets.set(options, { database, target })
  return target
}
