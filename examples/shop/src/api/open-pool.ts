import pg from 'pg'
import type { Faults } from '../faults.ts'

const poolSize = 10
/** Fault `small-pool`: one connection, as somebody copies it from a function that serves one request at a time. */
const smallPoolSize = 1

/** A pool whose connections are all open, so that no visitor waits for one to be made. */
export async function openPool(url: string, faults: Faults): Promise<pg.Pool> {
  const max = faults.has('small-pool') ? smallPoolSize : poolSize
  const pool = new pg.Pool({ connectionString: url, max, idleTimeoutMillis: 0 })
  // A connection that breaks while idle is replaced on the next use; without a listener it would end the process.
  pool.on('error', (error) => process.stderr.write(`Idle database connection lost: ${error.message}\n`))
  const clients = await Promise.all(Array.from({ length: max }, () => pool.connect()))
  for (const client of clients) client.release()
  return pool
}
