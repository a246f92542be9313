import { guard } from '../core/guard.ts'
import { setRoute } from '../signals/routes.ts'

type Parameters = Readonly<Record<string, string | string[] | undefined>> | null

/** `/p/42` with `{ id: '42' }` is `/p/:id`; what a catch-all matched is one parameter. */
export const nextRoute = (path: string, parameters: Parameters): string => {
  let route = `${path}/`
  for (const [name, value] of Object.entries(parameters ?? {})) {
    const text = [value ?? []].flat().join('/')
    if (text) route = route.replace(`/${text}/`, `/:${name}/`)
  }
  return route.replace(/\/+$/, '') || '/'
}

/**
 * Names views by the parameters of the Next.js App Router: call it with `usePathname()` and `useParams()` in an effect of a client
 * component of the root layout.
 */
export const followNextRouter = guard((path: string, parameters: Parameters): void =>
  setRoute(nextRoute(path, parameters)),
)
