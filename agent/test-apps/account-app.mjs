// Each request uses what its query string asks for: queries, outgoing calls, CPU in several pieces between awaits.
import { createServer } from 'node:http'
import pg from 'pg'

const pool = new pg.Pool({
  host: process.env.PGHOST,
  port: Number(process.env.PGPORT),
  user: 'postgres',
  database: 'postgres',
  max: 3,
})

const cpuMs = () => {
  const { user, system } = (process.threadCpuUsage ?? process.cpuUsage).call(process)
  return (user + system) / 1000
}
function burn(ms) {
  const until = cpuMs() + ms
  let n = 0
  while (cpuMs() < until) for (let i = 0; i < 1000; i++) n += Math.sqrt(i)
  return n
}

const server = createServer(async (request, response) => {
  const { searchParams } = new URL(request.url, 'http://app')
  const number = (name) => Number(searchParams.get(name) ?? 0)
  let received = 0
  for await (const part of request) received += part.length
  await Promise.all(Array.from({ length: number('queries') }, () => pool.query('SELECT 1')))
  for (let i = 0; i < number('calls'); i++) {
    await fetch(`http://127.0.0.1:${server.address().port}/inner`).then((answer) => answer.text())
  }
  for (let i = 0; i < 5; i++) {
    burn(number('cpu') / 5)
    await new Promise((resolve) => (i % 2 === 0 ? setImmediate(resolve) : setTimeout(resolve, 1)))
  }
  response.end('x'.repeat(number('bytes')) + received)
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`)
})
