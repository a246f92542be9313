// Drizzle over pg from CommonJS, without a server: one span, one query. Prints a line when it is done.
const { trace } = require('@opentelemetry/api')
const { eq } = require('drizzle-orm')
const { drizzle } = require('drizzle-orm/node-postgres')
const { integer, pgTable, text } = require('drizzle-orm/pg-core')
const { Pool } = require('pg')

const pool = new Pool({
  host: process.env.PGHOST,
  port: Number(process.env.PGPORT),
  user: 'postgres',
  database: 'postgres',
})
const db = drizzle(pool)
const authors = pgTable('authors', { id: integer().primaryKey(), name: text().notNull() })

async function loadAuthor(id) {
  return await db.select().from(authors).where(eq(authors.id, id))
}

trace
  .getTracer('app')
  .startActiveSpan('work', async (span) => {
    await loadAuthor(3)
    span.end()
  })
  .then(() => pool.end())
  .then(() => process.stdout.write(`${JSON.stringify({ done: true })}\n`))
