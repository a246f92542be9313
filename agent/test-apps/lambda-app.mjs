// Lambda's side: each line on standard input is an event; the handler is called, its answer printed, and the process frozen in
// the same breath, as Lambda does. SIGCONT thaws it. HANDLER names the form of the handler.
import { createInterface } from 'node:readline'
import { wrapHandler } from '@hotspan/agent/lambda'
import { trace } from '@opentelemetry/api'

const work = (event) => {
  trace.getTracer('function').startSpan('inside').end()
  if (event.fail) throw new TypeError('the function fails')
  return { statusCode: event.status ?? 200, body: trace.getActiveSpan()?.spanContext().traceId }
}
const streamed = async (event, stream, context) =>
  stream.end(`${context.functionName} ${work(event).body ?? 'untraced'}`)
streamed[Symbol.for('aws.lambda.runtime.handler.streaming')] = 'response'
const forms = {
  promise: async (event) => {
    await new Promise((resolve) => setTimeout(resolve, event.waitMs ?? 1))
    return work(event)
  },
  callback: (event, _context, done) => {
    setTimeout(() => {
      try {
        done(null, work(event))
      } catch (error) {
        done(error)
      }
    }, 1)
  },
  streaming: streamed,
}
const handler = wrapHandler(forms[process.env.HANDLER ?? 'promise'])
const streams = handler[Symbol.for('aws.lambda.runtime.handler.streaming')] === 'response'

process.stdout.write(`${JSON.stringify({ ready: true })}\n`)
let number = 0
for await (const line of createInterface({ input: process.stdin })) {
  const event = JSON.parse(line)
  const deadlineMs = Date.now() + (event.limitMs ?? 30_000)
  const context = {
    functionName: 'resize',
    invokedFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:resize',
    awsRequestId: `request-${++number}`,
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  }
  let told
  try {
    if (streams) {
      await handler(event, { end: (text) => (told = { answer: text }) }, context)
    } else told = { answer: await handler(event, context) }
  } catch (error) {
    told = { error: error.message }
  }
  process.stdout.write(`${JSON.stringify({ number, ...told })}\n`)
  process.kill(process.pid, 'SIGSTOP')
}
