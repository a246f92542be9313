import type { ReactNode } from 'react'
import type { Loaded } from '../state/use-loaded.ts'

/** Shows what was loaded, or that it is not there yet or could not be had. */
export function LoadedView<T>(props: {
  readonly loaded: Loaded<T>
  readonly what: string
  readonly children: (value: T) => ReactNode
}) {
  const { loaded, what, children } = props
  if (loaded.state === 'loading') return <p className="note">Loading {what} …</p>
  if (loaded.state === 'failed')
    return (
      <p className="note error">
        Could not load {what}: {loaded.message}
      </p>
    )
  return children(loaded.value)
}
