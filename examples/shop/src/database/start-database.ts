import { fileURLToPath } from 'node:url'
import { startChild } from '../processes/start-child.ts'

export interface ShopDatabase {
  /** Direct address of PostgreSQL, without the proxy. */
  readonly url: string
  /** Process id of the PostgreSQL server. */
  readonly pid: number
  /** Folder of its data, removed by `close()`. */
  readonly folder: string
  close(): Promise<void>
}

/**
 * Starts a PostgreSQL server of its own on a free port with the shop's data in a temporary folder. Several shops can use it
 * one after another through `startShop({ databaseUrl })`, which spares the seconds of making the data.
 * @throws ChildStartError, `SHOP_POSTGRES_MISSING` when PostgreSQL is not installed
 */
export async function startDatabase(): Promise<ShopDatabase> {
  const keeper = await startChild({
    name: 'PostgreSQL',
    script: fileURLToPath(new URL('./keeper.js', import.meta.url)),
    startLimitMs: 180_000,
  })
  return {
    url: String(keeper.facts.url),
    pid: Number(keeper.facts.pid),
    folder: String(keeper.facts.folder),
    close: keeper.close,
  }
}
