import { createHash } from 'node:crypto'
import { posix, win32 } from 'node:path'
import { type EncodedSourceMap, TraceMap } from '@jridgewell/trace-mapping'
import { type FunctionIndex, indexFunctions } from './function-index.ts'

/** One script of a build as it is served, with the map that is not. */
export interface BuiltFile {
  /** Path below the output folder, with slashes. */
  readonly file: string
  readonly code: string
  /** Source map v3 with `sourcesContent`. */
  readonly map: EncodedSourceMap
}

export interface ResolvableFile {
  readonly file: string
  readonly functions: FunctionIndex
  /** Sources by their path below the project, no content: what the store needs to resolve positions. */
  readonly map: EncodedSourceMap
}

/** 32 hex digits of what is served: the same content has the same id, on every machine. */
export const buildIdOf = (files: Iterable<readonly [file: string, code: string]>): string => {
  const hash = createHash('sha256')
  for (const [file, code] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`${file}\0${code}\0`)
  return hash.digest('hex').slice(0, 32)
}

const isWindows = (path: string) => /^[a-z]:[\\/]/i.test(path)

/**
 * A source as a person looks for it: below the project (`src/ProductCard.tsx`), from the package's name for a dependency,
 * never a path of the machine that built. `folder` is where the built file lies; both are absolute.
 */
export const sourcePath = (source: string, folder: string, project: string): string => {
  const plain = source
    .replace(/^webpack:\/\/[^/]*\//, '')
    .replace(/^(?:file|rsc|turbopack):\/\/(?:\/?(?=[a-z]:))?/i, '')
    .replace(/[?#].*$/s, '')
    .replace(/^\0/, '')
  const path = isWindows(project) ? win32 : posix
  let relative = plain
  if (!source.startsWith('webpack://') && !source.startsWith('\0') && !/^[\w.-]{2,}:/.test(plain)) {
    // Bundlers write sources relative to the built file.
    const absolute = isWindows(plain) || plain.startsWith('/') ? plain : path.resolve(folder, plain)
    relative = path.relative(project, absolute)
  }
  const slashed = relative.replace(/\\/g, '/').replace(/^(?:\.\/)+/, '')
  const dependency = slashed.lastIndexOf('node_modules/')
  if (dependency >= 0) return slashed.slice(dependency)
  // Outside of the project: the folders above are nobody's business.
  return slashed.replace(/^(?:\.\.\/)+/, '').replace(/^\//, '')
}

/** What the store needs of a built file. `pathOf` names a source of the map. */
export const resolvable = (built: BuiltFile, pathOf: (source: string) => string): ResolvableFile => {
  const { file, code, map } = built
  const { version, mappings, names } = map
  const traced = new TraceMap(map)
  const named = (source: string | null) => (source === null ? '' : pathOf(source))
  return {
    file,
    functions: indexFunctions(code, traced, named),
    map: { version, file, names, mappings, sources: map.sources.map(named) },
  }
}
