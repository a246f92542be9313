import Module from 'node:module'
import { fault } from '../faults.ts'
import { watchEsmPackages } from './esm-hook.ts'

/** A package whose prototypes are wrapped once it is loaded, by `require` or by `import`. */
export interface PackageTarget {
  /** As it is required, and the folder in `node_modules`. */
  readonly name: string
  /** Further names under which CommonJS code requires it. */
  readonly subpaths?: readonly string[]
  /** Regular expression of its ESM build's entries, behind the package's folder; without one only CommonJS is watched. */
  readonly esm?: string
  readonly patch: (exports: unknown) => void
}

interface LoaderOfModules {
  _load(request: string, parent: unknown, isMain: boolean): unknown
}

/**
 * Watches `Module._load`: CommonJS packages pass it whether they are required or imported (then with the file's full name),
 * so neither needs a loader hook. Those with an ESM build have one. Returns a function that stops watching; what was wrapped
 * stays wrapped.
 */
export function watchPackages(targets: readonly PackageTarget[]): () => void {
  const loader = Module as unknown as LoaderOfModules
  const original = loader._load
  const byName = new Map(
    targets.flatMap((target) => [target.name, ...(target.subpaths ?? [])].map((name) => [name, target])),
  )
  const names = targets.map(({ name }) => name.replaceAll(/[^a-z0-9-]/gi, '\\$&')).join('|')
  // The innermost package: one may have its own copy of another.
  const inFolder = new RegExp(`[\\\\/]node_modules[\\\\/](${names})[\\\\/](?!.*[\\\\/]node_modules[\\\\/])`)
  const seen = new WeakSet<object>()

  const offer = (target: PackageTarget, exports: unknown): void => {
    if (
      (typeof exports !== 'object' && typeof exports !== 'function') ||
      exports === null ||
      seen.has(exports)
    )
      return
    seen.add(exports)
    try {
      target.patch(exports)
    } catch (error) {
      fault(target.name, error)
    }
  }

  function watched(this: unknown, request: string, ...rest: [unknown, boolean]): unknown {
    const exports = original.call(this as LoaderOfModules, request, ...rest)
    if (typeof request !== 'string') return exports
    const named = byName.get(request)
    if (named !== undefined) offer(named, exports)
    else if (request.length > 12 && (request.charCodeAt(0) === 47 || request.charCodeAt(1) === 58)) {
      const found = inFolder.exec(request)
      if (found !== null) offer(byName.get(found[1]!)!, exports)
    }
    return exports
  }
  loader._load = watched as LoaderOfModules['_load']

  // Started after the app has loaded something: what is in the cache is offered too.
  const cache = (Module as unknown as { _cache: Record<string, { exports: unknown } | undefined> })._cache
  for (const path of Object.keys(cache)) {
    const found = inFolder.exec(path)
    if (found !== null) offer(byName.get(found[1]!)!, cache[path]?.exports)
  }
  const stopEsm = watchEsmPackages(targets, offer)
  return () => {
    stopEsm()
    if (loader._load === watched) loader._load = original
  }
}
