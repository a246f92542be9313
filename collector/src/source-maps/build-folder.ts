import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { badSourceMaps, messageOf } from '../errors.ts'
import { checkFunctions, checkMap, isBelow, isBuildIds, maxFileBytes, parsedJson } from './check-maps.ts'

/** Bounds of one build: a file with more is no bundle, and the store is not a file server. */
const maxFiles = 5_000
const maxManifestBytes = 8 << 20

export const manifestName = 'hotspan-build.json'

/** One built file as it will be stored. */
export interface BuiltFileMaps {
  readonly file: string
  /** JSON texts, checked. */
  readonly functions: string
  readonly map: string
}

/** A folder that a build plugin of `@hotspan/browser` wrote. */
export interface BuildFolder {
  readonly buildIds: readonly string[]
  readonly fileNames: readonly string[]
  /** One after the other: a build's maps together may not fit into memory. */
  readFiles(): AsyncGenerator<BuiltFileMaps>
}

async function readBounded(path: string, maxBytes: number): Promise<string> {
  let bytes: number
  try {
    bytes = (await stat(path)).size
    if (bytes <= maxBytes) return await readFile(path, 'utf8')
  } catch (cause) {
    throw badSourceMaps(
      `${path} cannot be read: ${messageOf(cause)}. Build again, or name the right folder.`,
      cause,
    )
  }
  throw badSourceMaps(`${path} has ${bytes} bytes; at most ${maxBytes} are taken`)
}

/**
 * Reads and checks the manifest of a build folder; the files are read as they are asked for.
 *
 * @throws CollectorError HS_SOURCE_MAPS that says which file is wrong and what to do.
 */
export async function readBuildFolder(folder: string): Promise<BuildFolder> {
  const path = join(folder, manifestName)
  try {
    await stat(path)
  } catch (cause) {
    throw badSourceMaps(
      `${folder} has no ${manifestName}: it is no folder of source maps. Build with the plugin of @hotspan/browser/vite or /webpack; it writes hotspan-sourcemaps unless mapsDir names another`,
      cause,
    )
  }
  const manifest = parsedJson(path, await readBounded(path, maxManifestBytes)) as {
    schemaVersion?: unknown
    buildIds?: unknown
    files?: unknown
  } | null
  if (manifest?.schemaVersion !== 1)
    throw badSourceMaps(
      `${path} has schemaVersion ${JSON.stringify(manifest?.schemaVersion)}; this Hotspan reads 1. Update Hotspan.`,
    )
  const { buildIds, files } = manifest
  if (!isBuildIds(buildIds))
    throw badSourceMaps(
      `buildIds in ${path} is ${JSON.stringify(buildIds)?.slice(0, 80)}; expected ids of 32 hex digits. Build again.`,
    )
  if (!Array.isArray(files) || files.length > maxFiles)
    throw badSourceMaps(`files in ${path} is no list of at most ${maxFiles}. Build again.`)
  const entries = files.map((entry: { file?: unknown; map?: unknown; functions?: unknown } | null) => {
    const { file, map, functions } = entry ?? {}
    if (isBelow(file) && isBelow(map) && isBelow(functions)) return { file, map, functions }
    throw badSourceMaps(
      `an entry of files in ${path} is ${JSON.stringify(entry)?.slice(0, 120)}; expected file, map and functions as paths below the folder. Build again.`,
    )
  })
  return {
    buildIds,
    fileNames: entries.map(({ file }) => file),
    async *readFiles() {
      for (const { file, map, functions } of entries) {
        const functionsText = await readBounded(join(folder, functions), maxFileBytes)
        checkFunctions(join(folder, functions), functionsText)
        const mapText = await readBounded(join(folder, map), maxFileBytes)
        checkMap(join(folder, map), mapText)
        yield { file, functions: functionsText, map: mapText }
      }
    },
  }
}
