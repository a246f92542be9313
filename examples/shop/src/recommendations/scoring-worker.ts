/** The worker thread that runs the model, so that the event loop of the API stays free. */

import { parentPort, workerData } from 'node:worker_threads'
import { context, propagation, ROOT_CONTEXT } from '@opentelemetry/api'
import { modelSource } from './model-source.ts'
import { type ScoreRequest, scoreCandidates } from './scorer.ts'

export interface WorkerSettings {
  readonly modelPath: string
  readonly modelPerRequest: boolean
}

export interface WorkerRequest extends ScoreRequest {
  readonly id: number
  /** Trace context of the request that asks, as `traceparent` and `tracestate`. */
  readonly carrier: Record<string, string>
}

export type WorkerReply =
  | { readonly type: 'ready' }
  | { readonly type: 'scores'; readonly id: number; readonly scores: Float32Array }
  | { readonly type: 'error'; readonly id: number; readonly message: string }

const port = parentPort
if (port === null) throw new Error('scoring-worker.ts runs as a worker thread only')
const { modelPath, modelPerRequest } = workerData as WorkerSettings
const withModel = await modelSource(modelPath, modelPerRequest)
const reply = (message: WorkerReply) => port.postMessage(message)

port.on('message', (request: WorkerRequest | 'close') => {
  if (request === 'close') return port.close()
  const parent = propagation.extract(ROOT_CONTEXT, request.carrier)
  context
    .with(parent, () => withModel((session) => scoreCandidates(session, request)))
    .then(
      (scores) => reply({ type: 'scores', id: request.id, scores }),
      (error: unknown) => reply({ type: 'error', id: request.id, message: String(error) }),
    )
})
reply({ type: 'ready' })
