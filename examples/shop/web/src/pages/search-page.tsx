import { useEffect, useState } from 'react'
import { CardGrid } from '../components/card-grid.tsx'
import { api, type Card } from '../state/api.ts'
import { rememberCards } from '../state/known-products.ts'

interface Found {
  readonly typed: string
  readonly cards: readonly Card[]
}

/** Results of the search box; the old ones stay until the new ones are there. */
export function SearchPage({ typed }: { readonly typed: string }) {
  const [found, setFound] = useState<Found>()
  const [message, setMessage] = useState('')

  useEffect(() => {
    const leaving = new AbortController()
    api.search(typed, leaving.signal).then(
      ({ products }) => {
        setFound({ typed, cards: rememberCards(products) })
        setMessage('')
      },
      (error: unknown) => {
        if (!leaving.signal.aborted) setMessage(error instanceof Error ? error.message : String(error))
      },
    )
    return () => leaving.abort()
  }, [typed])

  return (
    <>
      <h1 className="results-title" data-found={found?.typed}>
        {found === undefined ? 'Searching …' : `${found.cards.length} results for “${found.typed}”`}
      </h1>
      {message === '' ? null : <p className="note error">Could not search: {message}</p>}
      {found === undefined ? null : <CardGrid cards={found.cards} />}
    </>
  )
}
