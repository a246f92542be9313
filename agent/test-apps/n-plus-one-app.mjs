// The same N+1 in a NestJS controller and in a tRPC procedure: all authors, then the books of each in a query of its own.
import 'reflect-metadata'
import { createServer } from 'node:http'
import { Controller, Get, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { initTRPC } from '@trpc/server'
import { createHTTPHandler } from '@trpc/server/adapters/standalone'
import pg from 'pg'

const pool = new pg.Pool({
  host: process.env.PGHOST,
  port: Number(process.env.PGPORT),
  user: 'postgres',
  database: 'postgres',
})
await pool.query('CREATE TABLE IF NOT EXISTS authors AS SELECT i AS id FROM generate_series(1, 7) i')
await pool.query(
  'CREATE TABLE IF NOT EXISTS books AS SELECT i AS id, i % 7 + 1 AS author_id FROM generate_series(1, 23) i',
)

async function booksOf(author) {
  const { rows } = await pool.query('SELECT id FROM books WHERE author_id = $1', [author])
  return rows.length
}
async function booksOfAll() {
  const { rows } = await pool.query('SELECT id FROM authors')
  const counts = []
  for (const { id } of rows) counts.push(await booksOf(id))
  return counts
}

class Authors {
  all() {
    return booksOfAll()
  }
}
Get(':country/books')(Authors.prototype, 'all', Object.getOwnPropertyDescriptor(Authors.prototype, 'all'))
Controller('authors')(Authors)
class Root {}
Module({ controllers: [Authors] })(Root)
const nest = await NestFactory.create(Root, new ExpressAdapter(), { logger: false })
await nest.init()

const t = initTRPC.create()
const router = t.router({ authors: t.router({ books: t.procedure.query(() => booksOfAll()) }) })
const trpc = createHTTPHandler({ router, basePath: '/trpc/' })

const server = createServer((request, response) =>
  request.url.startsWith('/trpc')
    ? trpc(request, response)
    : nest.getHttpAdapter().getInstance()(request, response),
)
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`)
})
