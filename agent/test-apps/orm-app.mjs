// Drizzle and Prisma over pg behind Fastify: one author by id, and all authors with their books in one query each. Prints its port.
import { PrismaPg } from '@prisma/adapter-pg'
import { eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import Fastify from 'fastify'
import pg from 'pg'
import { PrismaClient } from './prisma/client.mjs'

const connection = {
  host: process.env.PGHOST,
  port: Number(process.env.PGPORT),
  user: 'postgres',
  database: 'postgres',
}

const authors = pgTable('authors', { id: integer().primaryKey(), name: text().notNull() })
const books = pgTable('books', {
  id: integer().primaryKey(),
  title: text().notNull(),
  authorId: integer('author_id').notNull(),
})
const pool = new pg.Pool(connection)
const db = drizzle(pool)
const prisma = new PrismaClient({ adapter: new PrismaPg(connection) })

const app = Fastify({ forceCloseConnections: true })

app.get('/drizzle/authors/:id', async function drizzleAuthor(request) {
  const found = await db
    .select()
    .from(authors)
    .where(eq(authors.id, Number(request.params.id)))
  return found[0] ?? null
})

app.get('/drizzle/authors', async function drizzleAuthors(request) {
  const all = await db.select().from(authors).limit(Number(request.query.count))
  for (const author of all) author.books = await drizzleBooks(author.id)
  return all
})

async function drizzleBooks(authorId) {
  return await db.select().from(books).where(eq(books.authorId, authorId))
}

app.get('/prisma/authors/:id', async function prismaAuthor(request) {
  return await prisma.author.findUnique({ where: { id: Number(request.params.id) } })
})

app.get('/prisma/authors', async function prismaAuthors(request) {
  const all = await prisma.author.findMany({ take: Number(request.query.count) })
  for (const author of all) author.books = await prismaBooks(author.id)
  return all
})

async function prismaBooks(authorId) {
  return await prisma.book.findMany({ where: { authorId } })
}

app.get('/drizzle/writes', async function drizzleWrites() {
  return await db.transaction(async (inside) => {
    await inside.insert(books).values({ id: 1000, title: 'secret', authorId: 1 })
    await inside.update(books).set({ title: 'secret' }).where(eq(books.id, 1000))
    return await inside.delete(books).where(eq(books.id, 1000)).returning()
  })
})

app.get('/prisma/batch', async function prismaBatch() {
  return await Promise.all([3, 4, 5].map((id) => prisma.author.findUnique({ where: { id } })))
})

app.get('/prisma/transaction', async function prismaTransaction() {
  return await prisma.$transaction(async (inside) => {
    const author = await inside.author.findFirst({ orderBy: { id: 'asc' } })
    return await inside.book.findMany({ where: { authorId: author.id } })
  })
})

await Promise.all([pool.query('SELECT 1'), prisma.author.count()])
await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${JSON.stringify({ port: app.server.address().port })}\n`)
