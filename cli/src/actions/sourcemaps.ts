import { resolve } from 'node:path'
import { openStore, readBuildFolder, storeSourceMaps } from '@hotspan/collector'
import { type StoreFlags, storePlace } from '../process/store-options.ts'
import { renderJson } from '../render/json.ts'
import { count, formatQuantity } from '../render/numbers.ts'

export interface SourcemapsFlags extends StoreFlags {
  readonly format: 'text' | 'json'
}

export const runSourcemapsUpload = async (folder: string, flags: SourcemapsFlags): Promise<void> => {
  const place = await storePlace(flags)
  // Before the store: a wrong folder is told at once.
  const build = await readBuildFolder(resolve(folder))
  const store = await openStore({ dataDir: place.dataDir, project: place.project })
  try {
    const stored = await storeSourceMaps(store, build)
    if (flags.format === 'json') {
      process.stdout.write(renderJson({ schemaVersion: 1, project: place.project, ...stored }))
      return
    }
    const size = formatQuantity(stored.bytes, 'By')
    process.stdout.write(`build ${stored.buildIds.join(', ')}\n${count(stored.files, 'file')}, ${size}\n`)
  } finally {
    await store.close()
  }
}
