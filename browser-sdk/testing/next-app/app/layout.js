import { FollowRoutes } from './follow-routes'

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <FollowRoutes />
        {children}
      </body>
    </html>
  )
}
