import type { Store } from '../store.ts'
import type { BuildFolder, BuiltFileMaps } from './build-folder.ts'
import { refuse } from './check-maps.ts'
import { forgetBuilds } from './source-maps.ts'

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
    throw refuse(
      'the build has no script with a source map. Is build.sourcemap (Vite) or devtool (webpack) changed after the plugin?',
    )
  let bytes = 0
  for await (const file of build.readFiles()) {
    await send(file)
    bytes += file.functions.length + file.map.length
  }
  return { buildIds: build.buildIds, files: build.fileNames.length, bytes }
}

/** Puts one built file's maps into the store. */
export async function storeFile(
  store: Store,
  buildIds: readonly string[],
  { file, functions, map }: BuiltFileMaps,
): Promise<void> {
  await store.client.insert({
    table: 'hotspan_source_maps',
    values: [{ build_ids: buildIds, file, functions, map }],
    format: 'JSONEachRow',
  })
  forgetBuilds(store)
}

/** Puts the maps of one build into the store. */
export const storeSourceMaps = (store: Store, build: BuildFolder): Promise<StoredBuild> =>
  eachFile(build, (file) => storeFile(store, build.buildIds, file))
