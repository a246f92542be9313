// Traces on the main thread and in a worker, then ends by itself.
import { isMainThread, threadId, Worker } from 'node:worker_threads'
import { trace } from '@opentelemetry/api'

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url))
  await new Promise((resolve) => worker.once('exit', resolve))
}
trace
  .getTracer('worker-app')
  .startSpan(isMainThread ? 'main' : 'worker', { attributes: { thread: threadId } })
  .end()
if (isMainThread) process.stdout.write(`${JSON.stringify({ done: true })}\n`)
