import type { Store } from '../store.ts'
import type { BuildFolder, BuiltFileMaps } from './build-folder.ts'
import { eachFile, type StoredBuild } from './each-file.ts'
import { forgetBuilds } from './source-maps.ts'

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
