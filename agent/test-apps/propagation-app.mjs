// Answers /headers with the headers it got, / with those that a request of its own arrives with (by http.get, or by fetch with
// ?by=fetch), /api with what the OpenTelemetry API injects.
import { createServer, get } from 'node:http'
import { context, propagation, trace } from '@opentelemetry/api'

const server = createServer(async (request, response) => {
  const inner = `http://127.0.0.1:${server.address().port}/headers`
  if (request.url === '/headers') {
    response.end(JSON.stringify(request.headers))
  } else if (request.url === '/api') {
    const headers = {}
    propagation.inject(context.active(), headers)
    const traceId = trace.getActiveSpan().spanContext().traceId
    response.end(JSON.stringify({ headers, traceId, fields: propagation.fields() }))
  } else if (request.url === '/?by=fetch') {
    response.end(await (await fetch(inner)).text())
  } else {
    get(inner, (answer) => answer.pipe(response))
  }
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`)
})
