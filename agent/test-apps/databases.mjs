// The same as `databases.cjs`, with `import`.
import steps from './database-steps.cjs'

const { DRIVER, HOST: host, PORT: port } = process.env
const load = {
  ioredis: async () => (await import('ioredis')).Redis,
  redis: () => import('redis'),
  mysql2: async () => {
    const promises = await import('mysql2/promise')
    return [await import('mysql2'), promises]
  },
  mongodb: () => import('mongodb'),
}[DRIVER]

await steps[DRIVER](await load(), { host, port: Number(port) })
process.stdout.write(`${JSON.stringify({ done: true })}\n`)
setInterval(() => {}, 60_000)
