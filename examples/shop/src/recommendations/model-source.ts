import type { InferenceSession } from 'onnxruntime-node'
import { loadModel } from './scorer.ts'

/** Lends a loaded model for one piece of work. */
export type WithModel = <T>(work: (session: InferenceSession) => Promise<T>) => Promise<T>

/** Loads the model now and lends the same session to everybody. */
export async function keepModel(modelPath: string): Promise<WithModel> {
  const session = await loadModel(modelPath)
  return (work) => work(session)
}

/** Fault `model-per-request`: every piece of work loads the model again. */
export function loadModelEachTime(modelPath: string): WithModel {
  return async (work) => {
    const session = await loadModel(modelPath)
    try {
      return await work(session)
    } finally {
      await session.release()
    }
  }
}

export const modelSource = (modelPath: string, perRequest: boolean): WithModel | Promise<WithModel> =>
  perRequest ? loadModelEachTime(modelPath) : keepModel(modelPath)
