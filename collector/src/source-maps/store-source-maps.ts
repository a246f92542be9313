import { CollectorError } from '../errors.ts'
import type { Store } from '../store.ts'
import type { BuildFolder } from './build-folder.ts'
import { forgetBuilds } from './source-maps.ts'

export interface StoredBuild {
  readonly buildIds: readonly string[]
  readonly files: number
  readonly bytes: number
}

/** Puts the maps of one build into the store, a file at a time. Doing it again replaces them. */
export async function storeSourceMaps(store: Store, build: BuildFolder): Promise<StoredBuild> {
  if (build.fileNames.length === 0)
    throw new CollectorError(
      'HS_SOURCE_MAPS',
      'the build has no script with a source map. Is build.sourcemap (Vite) or devtool (webpack) changed after the plugin?',
    )
  let bytes = 0
  const { buildIds } = build
  for await (const { file, functions, map } of build.readFiles()) {
    await store.client.insert({
      table: 'hotspan_source_maps',
      values: [{ build_ids: buildIds, file, functions, map }],
      format: 'JSONEachRow',
    })
    bytes += functions.length + map.length
  }
  forgetBuilds(store)
  return { buildIds, files: build.fileNames.length, bytes }
}
