/** Loader thread of Node versions without `registerHooks` that works; everywhere else `esm-hook.ts` does this in place. */
import type { LoadHook } from 'node:module'
import { type EsmMatcher, type EsmPattern, esmMatcher, withHandOver } from './esm-source.ts'

let matcher: EsmMatcher = { match: () => undefined }

export function initialize(patterns: readonly EsmPattern[]): void {
  matcher = esmMatcher(patterns)
}

export const load: LoadHook = async (url, context, nextLoad) => {
  const result = await nextLoad(url, context)
  const name = result.format === 'module' ? matcher.match(url) : undefined
  if (name === undefined || result.source === null || result.source === undefined) return result
  return { ...result, source: withHandOver(textOf(result.source), name, url) }
}

const textOf = (source: string | ArrayBuffer | NodeJS.TypedArray): string =>
  typeof source === 'string' ? source : new TextDecoder().decode(source)
