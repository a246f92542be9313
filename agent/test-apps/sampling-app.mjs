// /ok, /failing, /slow (300 ms) and /calling (fails after an outgoing request); each makes a child span by hand.
import { createServer } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { stats } from '@hotspan/agent'
import { trace } from '@opentelemetry/api'

const server = createServer(async (request, response) => {
  const child = trace.getTracer('sampling-app').startSpan(`child of ${request.url}`)
  if (request.url === '/slow') await wait(300)
  if (request.url === '/calling') {
    const answer = await fetch(`http://127.0.0.1:${server.address().port}/headers`)
    response.setHeader('x-sent', (await answer.json()).traceparent)
  }
  child.end()
  if (request.url === '/headers') response.end(JSON.stringify(request.headers))
  else if (request.url === '/stats') response.end(JSON.stringify(stats()))
  else {
    response.statusCode = request.url === '/failing' || request.url === '/calling' ? 500 : 200
    response.end()
  }
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`)
})
