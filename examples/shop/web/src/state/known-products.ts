import type { Card } from './api.ts'

const known = new Map<number, Card>()

const same = (a: Card, b: Card): boolean =>
  (Object.keys(a) as (keyof Card)[]).every((key) => a[key] === b[key])

/**
 * Gives the object that the page already has for a product that did not change: a card whose product is the same object is not
 * rendered again when the next list arrives.
 */
export function rememberCards(cards: readonly Card[]): readonly Card[] {
  return cards.map((card) => {
    const before = known.get(card.id)
    if (before !== undefined && same(before, card)) return before
    known.set(card.id, card)
    return card
  })
}
