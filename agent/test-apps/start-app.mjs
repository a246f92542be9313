// Starts the agent itself, bundled-app style: `pg` is handed over by name. Prints what stats() says before and after stop().
import { createRequire } from 'node:module'
import { instrument, start, stats, stop } from '@hotspan/agent'
import { trace } from '@opentelemetry/api'

const early = instrument('pg', {})
const started = start({ service: 'started', version: '2.0', resource: { team: 'a' } })
const again = start()
const known = instrument('pg', createRequire(import.meta.url)('pg'))
const unknown = instrument('left-pad', {})
const off = instrument('redis', {})
trace.getTracer('x').startSpan('one').end()
const before = stats()
await stop()
trace.getTracer('x').startSpan('after the end').end()
process.stdout.write(
  `${JSON.stringify({ early, started, again, known, unknown, off, before, after: stats() })}\n`,
)
