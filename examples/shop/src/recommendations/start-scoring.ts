import { Worker } from 'node:worker_threads'
import { context, propagation } from '@opentelemetry/api'
import { modelSource } from './model-source.ts'
import { type ScoreRequest, scoreCandidates } from './scorer.ts'
import type { WorkerReply, WorkerRequest, WorkerSettings } from './scoring-worker.ts'

export interface Scoring {
  /** Scores in the order of the candidates. */
  score(request: ScoreRequest): Promise<Float32Array>
  close(): Promise<void>
}

/** Fault `inference-on-main-thread`: the model runs where requests are served. */
export async function scoreOnMainThread(settings: WorkerSettings): Promise<Scoring> {
  const withModel = await modelSource(settings.modelPath, settings.modelPerRequest)
  return {
    score: (request) => withModel((session) => scoreCandidates(session, request)),
    close: async () => {},
  }
}

/** Runs the model in one worker thread, which has loaded it when this resolves. */
export async function scoreInWorker(settings: WorkerSettings): Promise<Scoring> {
  const worker = new Worker(new URL('../../src/recommendations/scoring-worker.ts', import.meta.url), {
    workerData: settings,
  })
  const waiting = new Map<
    number,
    { resolve: (scores: Float32Array) => void; reject: (error: Error) => void }
  >()
  let lastId = 0
  let failure: Error | undefined

  await new Promise<void>((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', () => resolve())
  })
  worker.on('message', (message: WorkerReply) => {
    if (message.type === 'ready') return
    const asked = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.type === 'scores') asked?.resolve(message.scores)
    else asked?.reject(new Error(message.message))
  })
  worker.on('error', (error: Error) => {
    failure = error
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  })

  return {
    score: (request) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(failure)
        const carrier: Record<string, string> = {}
        propagation.inject(context.active(), carrier)
        lastId += 1
        waiting.set(lastId, { resolve, reject })
        worker.postMessage({ ...request, id: lastId, carrier } satisfies WorkerRequest)
      }),
    // It ends by itself when it has nothing left to do; that lets an agent in it send what it holds.
    close: async () => {
      if (failure !== undefined) return
      const ended = new Promise((resolve) => worker.once('exit', resolve))
      worker.postMessage('close')
      await ended
    },
  }
}
