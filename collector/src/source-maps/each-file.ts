import { badSourceMaps } from '../errors.ts'
import type { BuildFolder, BuiltFileMaps } from './build-folder.ts'

export interface StoredBuild {
  readonly buildIds: readonly string[]
  readonly files: number
  readonly bytes: number
}

/** Sends the maps of one build somewhere, a file at a time; doing it again replaces them. */
export async function eachFile(
  build: BuildFolder,
  send: (file: BuiltFileMaps) => Promise<void>,
): Promise<StoredBuild> {
  if (build.fileNames.length === 0)
    throw badSourceMaps(
      'the build has no script with a source map. Is build.sourcemap (Vite) or devtool (webpack) changed after the plugin?',
    )
  let bytes = 0
  for await (const file of build.readFiles()) {
    await send(file)
    bytes += file.functions.length + file.map.length
  }
  return { buildIds: build.buildIds, files: build.fileNames.length, bytes }
}
