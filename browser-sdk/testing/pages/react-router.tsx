import * as hotspan from '@hotspan/browser'
import { followReactRouter } from '@hotspan/browser/routers'
import { createRoot } from 'react-dom/client'
import { createBrowserRouter, Link, Outlet, RouterProvider } from 'react-router'

hotspan.init((globalThis as unknown as { HOTSPAN_TEST: hotspan.Options }).HOTSPAN_TEST)

const Layout = () => (
  <>
    <Link id="shoe" to="/shop/red-shoe/reviews">
      shoe
    </Link>
    <Outlet />
  </>
)
const router = createBrowserRouter([
  {
    element: <Layout />,
    children: [
      { path: '/', element: <p>home</p> },
      {
        path: '/shop',
        children: [{ path: ':product/reviews', element: <p id="reviews">reviews</p> }],
      },
    ],
  },
])
followReactRouter(router)
createRoot(document.querySelector('#root')!).render(<RouterProvider router={router} />)
