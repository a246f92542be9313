import pg from 'pg'
import { orderLineStatements, reviewStatements, tableStatements } from './schema.ts'

async function runAll(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

/** Makes the shop's tables and their rows in an empty database; the two big tables are filled at the same time. */
export async function seedDatabase(url: string): Promise<void> {
  await runAll(url, tableStatements)
  await Promise.all([runAll(url, reviewStatements), runAll(url, orderLineStatements)])
}
