import type { LoadEndpoint } from '../../examples/shop/dist/index.js'

/** One fault of the shop, the detector that must find it, and how its true cost is measured. */
export interface Case {
  readonly fault: string
  readonly detector: string
  /**
   * `requests`: the affected operation itself gets faster. `victims`: requests that were open while another one blocked the loop.
   * `renders`: interactions in the browser.
   */
  readonly measure: 'requests' | 'victims' | 'renders'
  readonly arrivals: 'constant' | 'poisson'
  /** Per shop. Low enough that nothing queues: a saving is per request, not per saturated machine. */
  readonly arrivalsPerSec: number
  /** Shares of the arrivals that differ from the shop's own scenario: more of what is affected makes more data in the same time. */
  readonly weights: Readonly<Record<string, number>>
}

export const cases: readonly Case[] = [
  {
    fault: 'missing-index',
    detector: 'slow-query',
    measure: 'requests',
    arrivals: 'constant',
    arrivalsPerSec: 2,
    weights: { 'GET /api/products/:id': 80 },
  },
  {
    fault: 'n-plus-one',
    detector: 'n-plus-one',
    measure: 'requests',
    arrivals: 'constant',
    arrivalsPerSec: 2,
    weights: { 'GET /api/products': 80 },
  },
  {
    fault: 'serial-calls',
    detector: 'serialized-calls',
    measure: 'requests',
    arrivals: 'constant',
    arrivalsPerSec: 2,
    weights: { 'GET /api/products/:id': 80 },
  },
  {
    fault: 'inference-on-main-thread',
    detector: 'event-loop-block',
    measure: 'victims',
    arrivals: 'poisson',
    arrivalsPerSec: 6,
    weights: { 'GET /api/products/:id': 60, 'GET /api/products/:id/recommendations': 25 },
  },
  {
    fault: 'model-per-request',
    detector: 'model-load',
    measure: 'requests',
    arrivals: 'constant',
    arrivalsPerSec: 1.5,
    weights: { 'GET /api/products/:id/recommendations': 80 },
  },
  {
    fault: 'context-recreated',
    detector: 'wasted-renders',
    measure: 'renders',
    arrivals: 'constant',
    arrivalsPerSec: 0.5,
    weights: {},
  },
]

export const reweighted = (
  endpoints: readonly LoadEndpoint[],
  weights: Readonly<Record<string, number>>,
): LoadEndpoint[] =>
  endpoints.map((endpoint) => ({ ...endpoint, weight: weights[endpoint.name] ?? endpoint.weight }))
