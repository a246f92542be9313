import { InferenceSession, Tensor } from 'onnxruntime-node'

export interface ScoreRequest {
  /** Product ids to score. */
  readonly candidates: readonly number[]
  /** Product ids that the customer bought or looks at; at least one. */
  readonly history: readonly number[]
}

/** One thread: the machine's other cores belong to the database and to other requests. */
const sessionOptions = { intraOpNumThreads: 1, interOpNumThreads: 1 }

export const loadModel = (modelPath: string): Promise<InferenceSession> =>
  InferenceSession.create(modelPath, sessionOptions)

const ids = (products: readonly number[]): Tensor =>
  new Tensor(
    'int64',
    BigInt64Array.from(products, (id) => BigInt(id)),
    [products.length],
  )

/** Scores in the order of the candidates. onnxruntime-node computes on the thread that calls this, in spite of the promise. */
export async function scoreCandidates(
  session: InferenceSession,
  request: ScoreRequest,
): Promise<Float32Array> {
  const { scores } = await session.run({ candidates: ids(request.candidates), history: ids(request.history) })
  if (scores === undefined || !(scores.data instanceof Float32Array))
    throw new Error('The model gave no scores')
  return scores.data
}
