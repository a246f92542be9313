import type { MouseEvent, ReactNode } from 'react'
import { navigate } from '../state/router.ts'

/** A link inside the shop: a plain click changes the page without loading it, anything else is the browser's. */
export function Link(props: {
  readonly to: string
  readonly className?: string
  readonly children: ReactNode
}) {
  const { to, className, children } = props
  const open = (event: MouseEvent<HTMLAnchorElement>) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    navigate(to)
  }
  return (
    <a href={to} className={className} onClick={open}>
      {children}
    </a>
  )
}
