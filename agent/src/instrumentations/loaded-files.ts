import Module from 'node:module'

/**
 * Exports of a package's own CommonJS file, once per installed copy that is loaded by now: for classes that the package's door
 * does not show. `file` is the path in the package, with slashes.
 */
export function loadedFiles(packageName: string, file: string): unknown[] {
  const cache = (Module as unknown as { _cache: Record<string, { exports: unknown } | undefined> })._cache
  const ending = `/node_modules/${packageName}/${file}`
  return Object.keys(cache)
    .filter((path) => path.replaceAll('\\', '/').endsWith(ending))
    .map((path) => cache[path]?.exports)
}
