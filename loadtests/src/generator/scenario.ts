import { badOption } from '../errors.ts'
import type { Random } from './random.ts'

export type Body = string | Uint8Array

/** One kind of request. `name` groups the samples: use a template (`GET /products/:id`), never a path with ids. */
export interface Endpoint {
  readonly name: string
  /** Default `GET`. */
  readonly method?: string
  /** Path and query below the target's origin, or a function that draws one from the seeded numbers. */
  readonly path: string | ((random: Random) => string)
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Body | ((random: Random) => Body)
  /** Share of the arrivals relative to the other endpoints; default 1. */
  readonly weight?: number
}

export interface Scenario {
  readonly name: string
  readonly endpoints: readonly Endpoint[]
}

const methodPattern = /^[A-Z]{3,10}$/
const headerNamePattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Throws `HS_LOAD_OPTION` naming the first key that cannot be used. */
export function checkScenario(scenario: Scenario): void {
  if (!scenario.name) throw badOption('scenario.name', scenario.name, 'a name that is not empty')
  if (!Array.isArray(scenario.endpoints) || scenario.endpoints.length === 0) {
    throw badOption('scenario.endpoints', scenario.endpoints, 'a list of at least one endpoint')
  }
  const seen = new Set<string>()
  let totalWeight = 0
  for (const [index, endpoint] of scenario.endpoints.entries()) {
    const key = `scenario.endpoints[${index}]`
    if (!endpoint.name) throw badOption(`${key}.name`, endpoint.name, 'a name that is not empty')
    if (seen.has(endpoint.name)) throw badOption(`${key}.name`, endpoint.name, 'a name used once')
    seen.add(endpoint.name)
    const method = endpoint.method ?? 'GET'
    if (!methodPattern.test(method)) throw badOption(`${key}.method`, method, 'an HTTP method in capitals')
    if (typeof endpoint.path === 'string') checkPath(`${key}.path`, endpoint.path)
    else if (typeof endpoint.path !== 'function')
      throw badOption(`${key}.path`, endpoint.path, 'a path or a function')
    const weight = endpoint.weight ?? 1
    if (!Number.isFinite(weight) || weight < 0) throw badOption(`${key}.weight`, weight, 'a number >= 0')
    totalWeight += weight
    checkHeaders(`${key}.headers`, endpoint.headers ?? {})
    if (endpoint.body !== undefined && (method === 'GET' || method === 'HEAD')) {
      throw badOption(`${key}.body`, endpoint.body, `no body with ${method}`)
    }
  }
  if (totalWeight <= 0) throw badOption('scenario.endpoints[].weight', 0, 'at least one weight above 0')
}

/** A path that a function drew is checked as well: one bad path must not look like a failing server. */
export function checkPath(key: string, path: string): void {
  if (typeof path !== 'string' || !path.startsWith('/') || /[\s#]/.test(path)) {
    throw badOption(key, path, 'a path that starts with / and has no space and no fragment')
  }
}

export function checkHeaders(key: string, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!headerNamePattern.test(name)) throw badOption(key, name, 'header names')
    if (typeof value !== 'string' || /[\r\n\0]/.test(value)) {
      throw badOption(`${key}[${name}]`, value, 'a header value on one line')
    }
  }
}
