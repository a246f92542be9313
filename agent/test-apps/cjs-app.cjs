// CommonJS, node:http without a framework, http.get, and a span made by hand through the OpenTelemetry API.
const http = require('node:http')
const { Client } = require('pg')
const { trace, context, propagation, SpanStatusCode } = require('@opentelemetry/api')

const client = new Client({
  host: process.env.PGHOST,
  port: Number(process.env.PGPORT),
  user: 'postgres',
  database: 'postgres',
})
const tracer = trace.getTracer('shop', '1.2.3')

const server = http.createServer((request, response) => {
  if (request.url === '/inner') {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ headers: request.headers }))
    return
  }
  if (request.url === '/baggage') {
    const baggage = propagation.getActiveBaggage()
    const outgoing = {}
    propagation.inject(context.active(), outgoing)
    response.end(JSON.stringify({ tenant: baggage?.getEntry('tenant')?.value, outgoing }))
    return
  }
  tracer.startActiveSpan('by hand', { attributes: { step: 1 } }, (span) => {
    client.query({ text: 'SELECT $1::int AS n', values: [7] }, (_error, result) => {
      span.setAttribute('rows', result.rows.length)
      span.addEvent('queried', { ok: true })
      http.get(`http://127.0.0.1:${server.address().port}/inner`, (answer) => {
        let text = ''
        answer.on('data', (part) => {
          text += part
        })
        answer.on('end', () => {
          span.recordException(new TypeError('only recorded'))
          span.setStatus({ code: SpanStatusCode.ERROR, message: 'by hand' })
          span.end()
          span.setAttribute('after', 'the end')
          response.end(text)
        })
      })
    })
  })
})

client.connect().then(() => {
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`)
  })
})
