import { openStore } from '@hotspan/collector'
import { shownPath } from '../process/shown-path.ts'
import { type StoreFlags, storePlace } from '../process/store-options.ts'

export const runMigrate = async (flags: StoreFlags): Promise<void> => {
  const place = await storePlace(flags)
  const store = await openStore({ dataDir: place.dataDir, project: place.project })
  await store.close()
  const where = store.mode === 'server' ? 'the server of HOTSPAN_CLICKHOUSE_URL' : shownPath(place.dataDir)
  process.stdout.write(`the tables of ${store.database} on ${where} are up to date\n`)
}
