// CommonJS: one driver's steps. Prints a line when they are done, and then waits to be ended.
const steps = require('./database-steps.cjs')

const { DRIVER, HOST: host, PORT: port } = process.env
const load = {
  ioredis: () => require('ioredis'),
  redis: () => require('redis'),
  mysql2: () => [require('mysql2'), require('mysql2/promise')],
  mongodb: () => require('mongodb'),
}[DRIVER]

steps[DRIVER](load(), { host, port: Number(port) }).then(() => {
  process.stdout.write(`${JSON.stringify({ done: true })}\n`)
  setInterval(() => {}, 60_000)
})
