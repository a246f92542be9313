import { useEffect, useState } from 'react'

export type Loaded<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'done'; readonly value: T }
  | { readonly state: 'failed'; readonly message: string }

/** Loads once per key, which stands for everything that `load` depends on; an answer that comes after the key changed is dropped. */
export function useLoaded<T>(key: string, load: () => Promise<T>): Loaded<T> {
  const [held, setHeld] = useState<{ readonly key: string; readonly loaded: Loaded<T> }>()
  useEffect(() => {
    let current = true
    const hold = (loaded: Loaded<T>) => {
      if (current) setHeld({ key, loaded })
    }
    load().then(
      (value) => hold({ state: 'done', value }),
      (error: unknown) =>
        hold({ state: 'failed', message: error instanceof Error ? error.message : String(error) }),
    )
    return () => {
      current = false
    }
  }, [key])
  return held?.key === key ? held.loaded : { state: 'loading' }
}
