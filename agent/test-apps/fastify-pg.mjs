// Fastify, pg and fetch; only /context looks at the active context, to tell it. Prints its port once it listens.

import { context, propagation } from '@opentelemetry/api'
import Fastify from 'fastify'
import pg from 'pg'
import Cursor from 'pg-cursor'

const pool = new pg.Pool({
  host: process.env.PGHOST,
  port: Number(process.env.PGPORT),
  user: 'postgres',
  database: 'postgres',
  max: Number(process.env.POOL_MAX ?? 5),
})
const app = Fastify({ forceCloseConnections: true })

app.get('/hello', async () => ({ hello: 'world' }))

app.get('/items/:id', async function loadItem(request) {
  const { rows } = await pool.query('SELECT id, name FROM items WHERE id = $1', [request.params.id])
  return rows[0] ?? null
})

app.get('/callback/:id', (request, reply) => {
  pool.query(
    "SELECT name FROM items WHERE id = $1 AND name <> 'secret'",
    [request.params.id],
    (error, result) => {
      if (error) reply.send(error)
      else reply.send({ name: result.rows[0].name })
    },
  )
})

app.get('/context', (request, reply) => {
  pool.query('SELECT 1', () => {
    const carrier = {}
    propagation.inject(context.active(), carrier)
    reply.send({ asked: request.headers.traceparent, active: carrier.traceparent })
  })
})

app.get('/cursor', async () => {
  const client = await pool.connect()
  try {
    const cursor = client.query(new Cursor('SELECT id FROM items ORDER BY id'))
    let count = 0
    for (;;) {
      const rows = await cursor.read(10)
      if (rows.length === 0) break
      count += rows.length
    }
    await cursor.close()
    return { count }
  } finally {
    client.release()
  }
})

app.get('/failing', async () => pool.query('SELECT nothing FROM missing_table'))

app.get('/outgoing', async (request) => {
  const answer = await fetch(
    `http://127.0.0.1:${app.server.address().port}/hello?token=${request.query.token ?? ''}`,
  )
  return answer.json()
})

app.get('/slow', async () => {
  process.stdout.write(`${JSON.stringify({ slow: 'begun' })}\n`)
  await pool.query('SELECT pg_sleep(0.3)')
  return 'late'
})

await pool.query('SELECT 1')
await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${JSON.stringify({ port: app.server.address().port })}\n`)
for (const signal of ['SIGUSR2']) process.on(signal, () => app.close().then(() => pool.end()))
