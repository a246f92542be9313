// Dies of an uncaught error inside a request: HOW is throw (in a timer) or reject. HANDLED keeps the process alive.
import { createServer } from 'node:http'
import { trace } from '@opentelemetry/api'

const server = createServer((request, response) => {
  if (request.url === '/fine') {
    response.end('fine')
    return
  }
  trace.getTracer('crash-app').startActiveSpan('about to fail', () => {
    if (process.env.HOW === 'reject') void Promise.reject(new RangeError('nobody catches this'))
    else
      setTimeout(() => {
        throw new RangeError('nobody catches this')
      }, 1)
  })
})
if (process.env.HANDLED) process.on('uncaughtException', () => process.stdout.write('{"handled":true}\n'))
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`)
})
