import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { openStore, type Store } from '../../collector/dist/index.js'
import { type Shop, type ShopDatabase, startDatabase, startShop } from '../../examples/shop/dist/index.js'
import { startWorker } from '../contract/processes.ts'

/** One shop with a collector and a store of its own, so that the analysis of one never sees the other. */
export interface Side {
  readonly shop: Shop
  readonly store: Store
}

export interface Pair {
  readonly on: Side
  readonly off: Side
  close(): Promise<void>
}

export interface Databases {
  readonly main: string
  /** The same data once more: an index that one shop must have and the other must not cannot be in one database. */
  readonly copy: string
  close(): Promise<void>
}

export async function openDatabases(): Promise<Databases> {
  const server: ShopDatabase = await startDatabase()
  const url = new URL(server.url)
  const addressOf = (database: string): string =>
    Object.assign(new URL(url), { pathname: `/${database}` }).href
  try {
    const client = new pg.Client({ connectionString: addressOf('template1') })
    await client.connect()
    try {
      await client.query(`CREATE DATABASE shop_copy TEMPLATE "${url.pathname.slice(1)}"`)
    } finally {
      await client.end()
    }
    return { main: server.url, copy: addressOf('shop_copy'), close: () => server.close() }
  } catch (error) {
    await server.close()
    throw error
  }
}

/** Two shops that differ in one fault, both watched in the same way. */
export async function openPair(fault: string, databases: Databases): Promise<Pair> {
  const opened: (() => Promise<void>)[] = []
  const close = async () => {
    for (const step of opened.splice(0).reverse()) await step()
  }
  const openSide = async (faults: string, databaseUrl: string): Promise<Side> => {
    const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-savings-'))
    opened.push(async () => rmSync(dataDir, { recursive: true, force: true }))
    const collector = await startWorker([
      fileURLToPath(new URL('collector-process.ts', import.meta.url)),
      dataDir,
    ])
    opened.push(() => collector.stop())
    const shop = await startShop({ faults, databaseUrl, otlpEndpoint: String(collector.ready.otlpUrl) })
    opened.push(() => shop.close())
    const store = await openStore({ dataDir })
    opened.push(() => store.close())
    return { shop, store }
  }
  try {
    const on = await openSide(fault, databases.copy)
    const off = await openSide('', databases.main)
    return { on, off, close }
  } catch (error) {
    await close()
    throw error
  }
}
