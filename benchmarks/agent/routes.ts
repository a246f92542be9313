export const routes = [
  { id: 'hello', path: () => '/hello' },
  { id: '1-query', path: (i: number) => `/query/${1 + (i % 1000)}` },
  { id: '5-queries', path: (i: number) => `/queries/${1 + (i % 1000)}` },
  { id: 'outgoing', path: () => '/outgoing' },
] as const

export type RouteId = (typeof routes)[number]['id']

export const perRoute = <T>(make: (id: RouteId) => T): Record<RouteId, T> =>
  Object.fromEntries(routes.map(({ id }) => [id, make(id)])) as Record<RouteId, T>

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
