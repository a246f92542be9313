import * as hotspan from '@hotspan/browser'
import { followTanStackRouter } from '@hotspan/browser/routers'
import {
  createRootRoute,
  createRoute,
  createRouter,
  Link,
  Outlet,
  RouterProvider,
} from '@tanstack/react-router'
import { createRoot } from 'react-dom/client'

hotspan.init((globalThis as unknown as { HOTSPAN_TEST: hotspan.Options }).HOTSPAN_TEST)

const rootRoute = createRootRoute({
  component: () => (
    <>
      <Link id="shoe" to={'/shop/red-shoe/reviews' as string}>
        shoe
      </Link>
      <Outlet />
    </>
  ),
})
const getParentRoute = () => rootRoute
const router = createRouter({
  routeTree: rootRoute.addChildren([
    createRoute({ getParentRoute, path: '/', component: () => <p>home</p> }),
    createRoute({
      getParentRoute,
      path: '/shop/$product/reviews',
      component: () => <p id="reviews">reviews</p>,
    }),
  ]),
})
followTanStackRouter(router)
createRoot(document.querySelector('#root')!).render(<RouterProvider router={router} />)
