/** One request to the private page listener. */
export interface RouteRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Values of `:name` parts, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Empty for GET; at most 4 MiB unless the route takes more. */
  readonly body: Buffer
  /** Aborted when the asker goes away. */
  readonly signal: AbortSignal
}

export interface RouteResponse {
  /** Default 200. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON. */
  readonly body: string | Uint8Array | Readonly<Record<string, unknown>>
}

export interface Route {
  readonly method: 'GET' | 'POST'
  /** `/`, `/api/v1/traces/:traceId`; a last part `*` takes the rest of the path, as `params.rest`. */
  readonly path: string
  /** Default 4 MiB; larger bodies are refused. */
  readonly maxBodyBytes?: number
  handle(request: RouteRequest): Promise<RouteResponse>
}

/** Values of the pattern's parts when the path fits, else null. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/')
  const given = path.split('/')
  const params: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    if (part === '*' && index === wanted.length - 1) {
      params.rest = given.slice(index).join('/')
      return params
    }
    const value = given[index]
    if (value === undefined) return null
    if (part.startsWith(':')) {
      if (value === '') return null
      try {
        params[part.slice(1)] = decodeURIComponent(value)
      } catch {
        return null
      }
    } else if (part !== value) return null
  }
  return given.length === wanted.length ? params : null
}
