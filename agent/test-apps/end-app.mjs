// Makes spans, then waits for a signal in the way that ON_SIGNAL names.
import { createServer } from 'node:http'
import { stats } from '@hotspan/agent'
import { trace } from '@opentelemetry/api'

const server = createServer((_request, response) => response.end())
server.listen(0, '127.0.0.1', () => {
  const tracer = trace.getTracer('end-app')
  for (let i = 0; i < Number(process.env.SPANS ?? 3); i++) tracer.startSpan(`span ${i}`).end()
  process.stdout.write(`${JSON.stringify({ port: server.address().port, stats: stats() })}\n`)
})
if (process.env.ON_SIGNAL === 'close') process.on('SIGTERM', () => server.close())
process.on('SIGUSR2', () => process.stdout.write(`${JSON.stringify({ stats: stats() })}\n`))
