import { channel } from 'node:diagnostics_channel'
import { fault, faultCount } from '../faults.ts'
import { SPAN_OF_RESPONSE, type TracedResponse } from './server-timing.ts'

const NAME = 'fastify'

/** Fastify 5 says its route on a diagnostics channel; the server span takes it. No span of its own. */
export function installFastify(): () => void {
  const started = channel('tracing:fastify.request.handler:start')
  const count = faultCount(NAME)
  const onStart = (message: unknown): void => {
    if (count.off) return
    try {
      const { reply, route } = message as { reply: { raw: TracedResponse }; route: { url?: string } }
      const span = reply.raw[SPAN_OF_RESPONSE]
      if (span !== undefined && typeof route.url === 'string') span.route = route.url
    } catch (error) {
      fault(NAME, error)
    }
  }
  started.subscribe(onStart)
  return () => started.unsubscribe(onStart)
}
