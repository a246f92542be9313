import { createRandom } from './random.ts'
import type { Body, Endpoint, Scenario } from './scenario.ts'
import { checkPath } from './scenario.ts'

export type Arrivals = 'constant' | 'poisson'

export interface ScheduleOptions {
  readonly scenario: Scenario
  readonly arrivals: Arrivals
  readonly arrivalsPerSec: number
  /** Whole length, warm-up included, ms. */
  readonly lengthMs: number
  readonly seed: number
  /** The schedule ends after this many requests whatever its length. */
  readonly maxRequests: number
}

export interface PlannedRequest {
  readonly index: number
  /** ms after the start of the schedule. */
  readonly dueMs: number
  readonly endpoint: Endpoint
  /** Position of `endpoint` in the scenario. */
  readonly endpointIndex: number
  readonly path: string
  readonly body: Body | undefined
}

/**
 * The requests of a run, in the order they are due, one at a time so that a long run needs no list. Same options, same sequence:
 * arrivals, choice of endpoint and drawn values each have a stream of their own.
 */
export function* planRequests(options: ScheduleOptions): Generator<PlannedRequest, void, void> {
  const { scenario, arrivals, arrivalsPerSec, lengthMs, seed, maxRequests } = options
  const arrivalRandom = createRandom(seed, 0)
  const choiceRandom = createRandom(seed, 1)
  const valueRandom = createRandom(seed, 2)
  const cumulative = cumulativeWeights(scenario.endpoints)
  const total = cumulative.at(-1)!
  const gapMs = 1000 / arrivalsPerSec
  let dueMs = arrivals === 'constant' ? 0 : exponential(arrivalRandom.next(), gapMs)
  for (let index = 0; index < maxRequests && dueMs < lengthMs; index++) {
    const endpointIndex = choose(cumulative, choiceRandom.next() * total)
    const endpoint = scenario.endpoints[endpointIndex]!
    const path = typeof endpoint.path === 'string' ? endpoint.path : endpoint.path(valueRandom)
    if (typeof endpoint.path !== 'string') checkPath(`path of endpoint ${endpoint.name}`, path)
    const body = typeof endpoint.body === 'function' ? endpoint.body(valueRandom) : endpoint.body
    yield { index, dueMs, endpoint, endpointIndex, path, body }
    // A constant schedule multiplies instead of adding up, so that a million arrivals do not drift.
    dueMs = arrivals === 'constant' ? (index + 1) * gapMs : dueMs + exponential(arrivalRandom.next(), gapMs)
  }
}

/** Exponential gap with the given mean: the distance between arrivals of a Poisson process. */
function exponential(uniform: number, mean: number): number {
  return -Math.log(1 - uniform) * mean
}

function cumulativeWeights(endpoints: readonly Endpoint[]): number[] {
  let sum = 0
  return endpoints.map((endpoint) => (sum += endpoint.weight ?? 1))
}

function choose(cumulative: readonly number[], point: number): number {
  const index = cumulative.findIndex((edge) => point < edge)
  return index === -1 ? cumulative.length - 1 : index
}
