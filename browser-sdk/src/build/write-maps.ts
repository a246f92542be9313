import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ResolvableFile } from './built-file.ts'

const MANIFEST = 'hotspan-build.json'

/** What `hotspan sourcemaps upload` reads: the paths lie below the manifest's folder. */
export interface BuildManifest {
  readonly schemaVersion: 1
  /** Of each entry that was given an id; most builds have one. */
  readonly buildIds: readonly string[]
  readonly files: readonly { readonly file: string; readonly map: string; readonly functions: string }[]
}

/** The manifest of an earlier build there; null when there is none. Throws when the folder's manifest is not ours. */
const earlierBuild = (folder: string): BuildManifest | null => {
  const path = join(folder, MANIFEST)
  if (!existsSync(path)) return null
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as BuildManifest
  return Array.isArray(manifest.files) ? manifest : null
}

/** Replaces what an earlier build left in the folder, and nothing else there. */
export const writeMaps = (
  folder: string,
  buildIds: readonly string[],
  files: readonly ResolvableFile[],
): void => {
  for (const { map, functions } of earlierBuild(folder)?.files ?? [])
    for (const path of [map, functions]) if (isBelow(path)) rmSync(join(folder, path), { force: true })
  const put = (path: string, content: unknown): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), JSON.stringify(content))
  }
  const listed = files.map(({ file, map, functions }) => {
    const entry = { file, map: `${file}.map`, functions: `${file}.functions.json` }
    put(entry.map, map)
    put(entry.functions, functions)
    return entry
  })
  const manifest: BuildManifest = { schemaVersion: 1, buildIds, files: listed }
  put(MANIFEST, manifest)
}

const isBelow = (path: string): boolean =>
  !path.split(/[\\/]/).includes('..') && !/^([/\\]|[a-z]:)/i.test(path)
