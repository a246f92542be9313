import { guard } from '../core/guard.ts'
import { setRoute } from '../signals/routes.ts'

/** What we read of a data router of React Router (6.4 and later, 7, 8): `createBrowserRouter(...)` makes one. */
interface DataRouter {
  readonly state: RouterState
  subscribe(listener: (state: RouterState) => void): () => void
}

interface RouterState {
  readonly matches: readonly { readonly route: { readonly path?: string | undefined } }[]
}

/** `/p/:id` of the matched routes' own paths; layout and index routes have none. */
const template = ({ matches }: RouterState): string =>
  `/${matches
    .map(({ route }) => route.path?.replace(/^\/|\/$/g, ''))
    .filter(Boolean)
    .join('/')}`

/** Names views and route spans by the routes of React Router. Call it after `init`, with the router; the answer stops it. */
export const followReactRouter = guard((router: DataRouter): (() => void) => {
  const name = guard((state: RouterState) => {
    if (state.matches.length) setRoute(template(state))
  })
  name(router.state)
  return router.subscribe(name)
})
