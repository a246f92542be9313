// What is bundled: Fastify, pg and pino in the app's own file. AGENT=inside starts the agent from within the bundle.
import Fastify from 'fastify'
import pg from 'pg'
import pino from 'pino'

const lines = []
const logger = pino({}, { write: (line) => lines.push(JSON.parse(line)) })
const pool = new pg.Pool({
  host: process.env.PGHOST,
  port: Number(process.env.PGPORT),
  user: 'postgres',
  database: 'postgres',
})
const app = Fastify({ forceCloseConnections: true })
app.get('/items/:id', async () => {
  logger.info('asked')
  await pool.query('SELECT 1 AS n')
  return lines
})
app.listen({ port: 0, host: '127.0.0.1' }).then(() => {
  process.stdout.write(`${JSON.stringify({ port: app.server.address().port })}\n`)
})
process.on('SIGUSR2', () => app.close().then(() => pool.end()))
