// The application that every agent is measured on: no tracing code of its own. First line of output: where it listens.
import Fastify from 'fastify'
import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.env.BENCH_DATABASE_URL, max: 16 })
const text = 'SELECT id, name, price FROM bench_products WHERE id = $1'
const app = Fastify()
let own = ''

app.get('/hello', async () => ({ hello: 'world' }))
app.get('/query/:id', async (request) => (await pool.query(text, [Number(request.params.id)])).rows[0])
app.get('/queries/:id', async (request) => {
  const rows = []
  for (let i = 0; i < 5; i++) rows.push((await pool.query(text, [Number(request.params.id) + i])).rows[0])
  return rows
})
app.get('/outgoing', async () => (await fetch(`${own}/hello`)).json())

own = await app.listen({ host: '127.0.0.1', port: 0 })
// The first answer belongs to the start: it is when an agent has loaded everything.
await (await fetch(`${own}/hello`)).json()
console.log(JSON.stringify({ url: own }))
process.on('SIGTERM', () => process.exit(0))
