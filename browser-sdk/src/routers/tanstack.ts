import { guard } from '../core/guard.ts'
import { setRoute } from '../signals/routes.ts'

/** What we read of a router of TanStack Router 1. */
interface Router {
  readonly state: { readonly matches: readonly { readonly fullPath: unknown }[] }
  subscribe(event: 'onResolved', listener: () => void): () => void
}

/** Names views and route spans by the routes of TanStack Router, parameters as it writes them (`/p/$id`). The answer stops it. */
export const followTanStackRouter = guard((router: Router): (() => void) => {
  const name = guard(() => {
    const path = router.state.matches.at(-1)?.fullPath
    if (path) setRoute(`${path}`.replace(/(.)\/$/, '$1'))
  })
  name()
  return router.subscribe('onResolved', name)
})
