import { loadScenario, visitShop } from '@hotspan/example-shop'
import { generateLoad, type Run, type Sample } from '@hotspan/loadtests'

export interface Traffic {
  readonly run: Run
  readonly samples: readonly Sample[]
}

export interface TrafficOptions {
  readonly shopUrl: string
  readonly chromium: string
  readonly seconds: number
  readonly arrivalsPerSec: number
  readonly signal: AbortSignal
  readonly log: (line: string) => void
}

/**
 * A bounded open-model load on the API, and at the same time real visits in Chromium, spread over the same time, so that
 * both sides see the faults in several distinct minutes.
 */
export async function driveTraffic(options: TrafficOptions): Promise<Traffic> {
  const { shopUrl, chromium, seconds, arrivalsPerSec, signal, log } = options
  const endMs = Date.now() + seconds * 1000
  const load = generateLoad({
    url: shopUrl,
    scenario: loadScenario(shopUrl),
    arrivals: 'poisson',
    arrivalsPerSec,
    warmUpMs: 0,
    measuredMs: seconds * 1000,
    seed: 1,
    signal,
  })
  let visits = 0
  // At least one visit in each distinct minute is needed; back to back they are enough for every browser finding.
  do {
    const { visits: done } = await visitShop({
      url: shopUrl,
      chromium,
      visits: 1,
      firstVisit: visits,
      stepLimitMs: 60_000,
    })
    visits += done.length
    log(`visit ${visits} in Chromium: ${done.reduce((sum, { steps }) => sum + steps.length, 0)} steps`)
  } while (Date.now() < endMs && !signal.aborted)
  const { run, samples } = await load
  return { run, samples }
}
