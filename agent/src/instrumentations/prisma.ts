import { captureCallSite, withCallSite } from './call-site.ts'

const KEY = 'PRISMA_INSTRUMENTATION'

type Work = (...args: unknown[]) => unknown

/** What Prisma's client calls where `@prisma/instrumentation` would make spans. */
interface TracingHelper {
  isEnabled(): boolean
  getTraceParent(context?: unknown): string
  dispatchEngineSpans(spans: readonly unknown[], parent?: unknown, report?: (span: unknown) => void): void
  getActiveContext(): unknown
  runInChildSpan(nameOrOptions: string | { name: string }, work: Work): unknown
}

const helper: TracingHelper = {
  // Its statements are spans of `pg` already.
  isEnabled: () => false,
  getTraceParent: () => '00-10-10-00',
  dispatchEngineSpans(spans, _parent, report) {
    for (const span of spans) report?.(span)
  },
  getActiveContext: () => undefined,
  runInChildSpan(nameOrOptions, work) {
    const name = typeof nameOrOptions === 'string' ? nameOrOptions : nameOrOptions.name
    return name === 'operation' ? operation(work) : work()
  },
}

/** After one turn V8 knows who waits for this promise, and the app's function stands on the stack again. */
async function operation(work: Work): Promise<unknown> {
  await undefined
  return withCallSite(captureCallSite(), work)
}

/**
 * Call sites of Prisma's operations, only when they are asked for: it starts them when they are awaited and collects those of
 * one turn, by which the stack is lost. Steps back for `@prisma/instrumentation`, whose name has the version in it.
 */
export function installPrismaCallSites(): () => void {
  const global = globalThis as { [KEY]?: { helper: TracingHelper } }
  if (global[KEY] !== undefined) return () => {}
  const own = { helper }
  global[KEY] = own
  return () => {
    if (global[KEY] === own) delete global[KEY]
  }
}
