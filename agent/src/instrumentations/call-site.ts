import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { attr } from '@hotspan/otlp'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { active } from '../core/runtime.ts'
import { encodeKey } from '../encode/attribute-key.ts'
import { BoundedCache } from '../encode/bounded-cache.ts'
import { captureAttributes } from '../encode/captured-attributes.ts'
import { ownFolder } from '../own-folder.ts'

/** Where the app made a call. Lines are those of the running file: source maps are not applied. */
export interface CallSite {
  readonly functionName: string
  /** Relative to the working directory when inside it. */
  readonly filePath: string
  readonly lineNumber: number
  /** `code.*` attributes, encoded. */
  readonly encoded: Uint8Array
}

const functionKey = encodeKey(attr.codeFunctionName)
const fileKey = encodeKey(attr.codeFilePath)
const lineKey = encodeKey(attr.codeLineNumber)

/** Frames looked at; an ORM between the app and the driver needs some. */
const MOST_FRAMES = 30

const sites = new BoundedCache<CallSite | null>(512)

/**
 * The nearest frame of the app on the current stack, else what an ORM's instrumentation has noted, or undefined. Costs some
 * microseconds: only when asked for.
 */
export function captureCallSite(): CallSite | undefined {
  const stack = stackAbove(captureCallSite)
  if (typeof stack !== 'string') return undefined
  let from = stack.indexOf('\n    at ')
  while (from >= 0) {
    const end = stack.indexOf('\n', from + 1)
    const line = end < 0 ? stack.slice(from + 8) : stack.slice(from + 8, end)
    let site = sites.get(line)
    if (site === undefined) site = sites.set(line, readFrame(line))
    if (site !== null) return site
    from = end < 0 ? -1 : end
  }
  return active.getStore()?.getValue(CALL_SITE_KEY) as CallSite | undefined
}

/** An app may format stacks itself (`Error.prepareStackTrace`), into anything, and may throw. */
function stackAbove(caller: () => unknown): unknown {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = MOST_FRAMES
  try {
    const holder: { stack?: unknown } = {}
    Error.captureStackTrace(holder, caller)
    return holder.stack
  } catch {
    return undefined
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

const CALL_SITE_KEY = Symbol('hotspan.call-site')

/** Runs `fn` so that calls below it, whose stack has lost the app, are those of `site`. */
export function withCallSite<T>(site: CallSite | undefined, fn: () => T): T {
  if (site === undefined) return fn()
  return active.run((active.getStore() ?? EMPTY_CONTEXT).setValue(CALL_SITE_KEY, site), fn)
}

/** True for files that belong to the app: not Node, not a package, not this agent. */
export const isAppFile = (path: string): boolean =>
  path !== '' &&
  !path.startsWith('node:') &&
  !path.includes('/node_modules/') &&
  !path.includes('\\node_modules\\') &&
  (ownFolder === undefined || !path.startsWith(ownFolder))

/** File as it is reported: without scheme, relative to the working directory when inside it. */
export function reportedPath(path: string): string {
  const plain = path.startsWith('file://') ? fileURLToPath(path) : path
  const within = relative(process.cwd(), plain)
  return within !== '' && !within.startsWith('..') ? within.replaceAll('\\', '/') : plain
}

/** `async name (file:line:column)`, `name [as alias] (file...)` or a bare location; null for frames that are not the app's. */
function readFrame(frame: string): CallSite | null {
  const bracket = frame.lastIndexOf(' (')
  const location = bracket < 0 ? frame.replace(/^async /, '') : frame.slice(bracket + 2, -1)
  const match = /^(.*):(\d+):\d+$/.exec(location)
  if (match === null) return null
  const file = match[1]!
  const plain = file.startsWith('file://') ? fileURLToPath(file) : file
  if (!plain.includes('/') && !plain.includes('\\')) return null
  if (!isAppFile(plain)) return null
  const functionName =
    bracket < 0
      ? '<anonymous>'
      : frame
          .slice(0, bracket)
          .replace(/^async /, '')
          .replace(/^new /, '')
          .replace(/ \[as .*\]$/, '')
          .replace(/^Object\./, '')
  const filePath = reportedPath(plain)
  const lineNumber = Number(match[2])
  const encoded = captureAttributes((encoder) => {
    encoder.text(functionKey, functionName)
    encoder.text(fileKey, filePath)
    encoder.int(lineKey, lineNumber)
  })
  return { functionName, filePath, lineNumber, encoded }
}
