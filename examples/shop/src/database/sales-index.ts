import pg from 'pg'
import { createSalesIndex, dropSalesIndex } from './schema.ts'

/** Puts the sales index in place, or takes it away for the fault `missing-index`; a database may have served another run. */
export async function setSalesIndex(url: string, present: boolean): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(present ? createSalesIndex : dropSalesIndex)
  } finally {
    await client.end()
  }
}
