import { Pool } from 'undici'

const connections = 32

/**
 * Closed loop over 32 connections: the next request follows the answer. Right for CPU per request, where only the count matters; wrong
 * for latency, which is not taken here. Ends after `count` answers or `ms`, whichever is given. Returns the answers; any status but
 * 200 is an error.
 */
export async function closedLoad(
  origin: string,
  path: (index: number) => string,
  end: { readonly count: number } | { readonly ms: number },
  signal: AbortSignal,
): Promise<number> {
  const pool = new Pool(origin, { connections, pipelining: 1 })
  const untilMs = 'ms' in end ? performance.now() + end.ms : Number.POSITIVE_INFINITY
  const most = 'count' in end ? end.count : Number.POSITIVE_INFINITY
  let started = 0
  let answers = 0
  const loop = async () => {
    while (started < most && performance.now() < untilMs) {
      signal.throwIfAborted()
      const { statusCode, body } = await pool.request({ path: path(started++), method: 'GET' })
      await body.dump()
      if (statusCode !== 200) throw new Error(`the app at ${origin} answered ${statusCode}`)
      answers++
    }
  }
  try {
    await Promise.all(Array.from({ length: connections }, loop))
  } finally {
    await pool.destroy()
  }
  return answers
}
