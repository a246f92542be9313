import { setTimeout as wait } from 'node:timers/promises'
import { loadScenario } from '../../examples/shop/dist/index.js'
import { generateLoad } from '../../loadtests/dist/index.js'
import { type Case, reweighted } from './cases.ts'
import type { Pair, Side } from './shops.ts'

/** One arrival of the seeded schedule as both shops got it. */
export interface Matched {
  readonly endpoint: string
  readonly on: Sent
  readonly off: Sent
}

export interface Sent {
  readonly traceId: string
  /** From the intended start to the last byte, ms. */
  readonly latencyMs: number
}

/** A pair of slices: the same schedule at both shops at the same time. */
export type Slice = readonly Matched[]

/**
 * Loads both shops with one schedule. The second runs half an arrival later, so that the two halves of a pair meet the same
 * machine and yet do not ask for the CPU at the same moment.
 */
export async function loadSlice(
  test: Case,
  pair: Pair,
  measuredMs: number,
  seed: number,
  signal: AbortSignal,
): Promise<Slice> {
  const samplesOf = async ({ shop }: Side) => {
    const scenario = loadScenario(shop.url)
    const { samples } = await generateLoad({
      url: shop.url,
      scenario: { name: scenario.name, endpoints: reweighted(scenario.endpoints, test.weights) },
      arrivals: test.arrivals,
      arrivalsPerSec: test.arrivalsPerSec,
      measuredMs,
      seed,
      signal,
    })
    return samples.filter((sample) => sample.type === 'request')
  }
  // Which shop is first alternates, or the second would always meet the caches that the first has warmed.
  const sides = seed % 2 === 0 ? [pair.on, pair.off] : [pair.off, pair.on]
  const [first, second] = await Promise.all([
    samplesOf(sides[0]!),
    wait(500 / test.arrivalsPerSec).then(() => samplesOf(sides[1]!)),
  ])
  const [on, off] = seed % 2 === 0 ? [first, second] : [second, first]
  return on.flatMap((sample, i): Matched[] => {
    const other = off[i]
    if (other === undefined || sample.error !== '' || other.error !== '') return []
    const sent = ({ traceId, durationUs }: typeof sample): Sent => ({ traceId, latencyMs: durationUs / 1000 })
    return [{ endpoint: sample.endpoint, on: sent(sample), off: sent(other) }]
  })
}
