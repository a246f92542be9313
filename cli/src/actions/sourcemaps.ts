import { resolve } from 'node:path'
import {
  type BuildFolder,
  openStore,
  readBuildFolder,
  type StoredBuild,
  storeSourceMaps,
  uploadSourceMaps,
} from '@hotspan/collector'
import { badValue } from '../errors.ts'
import { type StoreFlags, storePlace } from '../process/store-options.ts'
import { renderJson } from '../render/json.ts'
import { count, formatQuantity } from '../render/numbers.ts'

export interface SourcemapsFlags extends StoreFlags {
  readonly format: 'text' | 'json'
  /** Address of a collector's page; without it the store on this machine is opened. */
  readonly url?: string
}

export const runSourcemapsUpload = async (folder: string, flags: SourcemapsFlags): Promise<void> => {
  const url = flags.url === undefined ? undefined : pageAddress(flags.url)
  const place = await storePlace(flags)
  // Before the store: a wrong folder is told at once.
  const build = await readBuildFolder(resolve(folder))
  const { project } = place
  const stored =
    url === undefined
      ? await storeHere(place, build)
      : await uploadSourceMaps({ url, project, ...pageToken() }, build)
  if (flags.format === 'json') {
    process.stdout.write(renderJson({ schemaVersion: 1, project, ...stored }))
    return
  }
  const size = formatQuantity(stored.bytes, 'By')
  process.stdout.write(`build ${stored.buildIds.join(', ')}\n${count(stored.files, 'file')}, ${size}\n`)
}

const storeHere = async (
  place: { readonly dataDir: string; readonly project: string },
  build: BuildFolder,
): Promise<StoredBuild> => {
  const store = await openStore({ dataDir: place.dataDir, project: place.project })
  try {
    return await storeSourceMaps(store, build)
  } finally {
    await store.close()
  }
}

/** A secret, and so no flag: those are seen in lists of processes and logs of CI. */
const pageToken = (): { readonly token?: string } => {
  const token = process.env.HOTSPAN_PAGE_TOKEN
  return token === undefined || token === '' ? {} : { token }
}

const pageAddress = (text: string): string => {
  const expected = "the address of a collector's page, such as https://collector.example:4319"
  if (!URL.canParse(text)) throw badValue('--url', text, expected)
  const { protocol, origin } = new URL(text)
  if (!/^https?:$/.test(protocol)) throw badValue('--url', text, expected)
  return origin
}
