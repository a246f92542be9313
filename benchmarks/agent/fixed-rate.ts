import { Pool } from 'undici'

export interface RateOptions {
  readonly perSec: number
  readonly ms: number
  /** Most requests under way; further ones wait for a connection, and their wait counts. */
  readonly connections?: number
}

/**
 * Open loop: a request is due every 1/perSec s whether earlier ones have been answered or not. Latencies, ms, from when a request
 * was due. Errors reject.
 */
export async function fixedRate(
  origin: string,
  path: (index: number) => string,
  { perSec, ms, connections = 64 }: RateOptions,
  signal: AbortSignal,
): Promise<number[]> {
  const pool = new Pool(origin, { connections, pipelining: 1 })
  const latenciesMs: number[] = []
  const underWay = new Set<Promise<void>>()
  const startMs = performance.now()
  let failure: unknown
  const one = async (index: number) => {
    const dueMs = startMs + (index * 1000) / perSec
    const { statusCode, body } = await pool.request({ path: path(index), method: 'GET' })
    await body.dump()
    if (statusCode !== 200) throw new Error(`the app at ${origin} answered ${statusCode}`)
    latenciesMs.push(performance.now() - dueMs)
  }
  try {
    const count = Math.round((perSec * ms) / 1000)
    for (let index = 0; index < count; ) {
      signal.throwIfAborted()
      if (failure !== undefined) throw failure
      const due = Math.min(count, Math.floor(((performance.now() - startMs) * perSec) / 1000) + 1)
      for (; index < due; index++) {
        const request: Promise<void> = one(index)
          .catch((error: unknown) => {
            failure = error
          })
          .finally(() => underWay.delete(request))
        underWay.add(request)
      }
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await Promise.all(underWay)
    if (failure !== undefined) throw failure
  } finally {
    await pool.destroy()
  }
  return latenciesMs
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
