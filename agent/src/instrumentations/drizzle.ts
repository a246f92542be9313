import { faultCount } from '../faults.ts'
import { captureCallSite, withCallSite } from './call-site.ts'
import { loadedFiles } from './loaded-files.ts'
import { type Method, type WrappableClass, wrapMethod } from './wrap-method.ts'

const NAME = 'drizzle-orm'
const count = faultCount(NAME)

/** ESM files whose classes have a `then` of their own: the base, and selects, which copy it. */
export const DRIZZLE_ESM = String.raw`(?:query-promise|(?:pg|mysql|sqlite|singlestore)-core/query-builders/select)\.js`

/**
 * Call sites of Drizzle's queries, only watched when they are asked for: a query starts when it is awaited, on a stack of its own.
 * Its statements are the driver's spans.
 */
export function instrumentDrizzle(exports: unknown): void {
  const files = [exports, ...loadedFiles(NAME, 'query-promise.cjs')]
  for (const dialect of ['pg', 'mysql', 'sqlite', 'singlestore']) {
    files.push(...loadedFiles(NAME, `${dialect}-core/query-builders/select.cjs`))
  }
  for (const file of files) {
    for (const [name, value] of Object.entries(file as Record<string, unknown>)) {
      if (name !== 'QueryPromise' && !name.endsWith('SelectBase')) continue
      const { prototype } = value as Partial<WrappableClass>
      if (prototype !== undefined) wrapMethod(prototype, 'then', atCallSite)
    }
  }
}

const atCallSite = (original: Method): Method =>
  function (this: unknown, ...handlers: unknown[]): unknown {
    if (count.off) return original.apply(this, handlers)
    const [fulfilled, rejected] = handlers as [(value: unknown) => unknown, (error: unknown) => unknown]
    return executed(original, this).then(fulfilled, rejected)
  }

/** After one turn V8 knows who waits for this promise, and the app's function stands on the stack again. */
async function executed(original: Method, query: unknown): Promise<unknown> {
  await undefined
  return withCallSite(captureCallSite(), () => original.call(query) as Promise<unknown>)
}
