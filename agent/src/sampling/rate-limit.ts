import { type RootSampler, ratioOf, ratioSampler } from '../core/sampler.ts'

const WINDOW_MS = 1000

/** Called for each new trace, before its decision; gives the sampler that decides from now on. */
export type RateLimit = (nowMs: number) => RootSampler

/**
 * Keeps about `perSec` new traces a second by moving the threshold, once a second to what arrived in the last one, and by
 * halves inside a second that brings more than was foreseen. The threshold never depends on a trace's own randomness, so each
 * kept trace carries the probability that it was kept with; a token bucket would leave it unknown.
 */
export function createRateLimit(perSec: number, base: RootSampler): RateLimit {
  const most = ratioOf(base)
  let ratio = most
  let sampler = base
  let windowMs = Number.NEGATIVE_INFINITY
  let arrivals = 0
  /** How many were kept in this window, by expectation. */
  let kept = 0
  let nextHalving = perSec

  const turnTo = (next: number): void => {
    if (next === ratio) return
    ratio = next
    sampler = ratioSampler(ratio, base.parentBased)
  }

  return (nowMs) => {
    const elapsedMs = nowMs - windowMs
    if (elapsedMs >= WINDOW_MS) {
      // An idle stretch says nothing about the next second: the last seconds' mean would let a burst through.
      const arrivedPerSec = (arrivals * 1000) / Math.min(elapsedMs, 2 * WINDOW_MS)
      turnTo(arrivedPerSec > 0 ? Math.min(most, perSec / arrivedPerSec) : most)
      windowMs = nowMs
      arrivals = 0
      kept = 0
      nextHalving = perSec
    }
    arrivals++
    kept += ratio
    if (kept > nextHalving) {
      nextHalving = kept + perSec / 4
      turnTo(ratio / 2)
    }
    return sampler
  }
}
