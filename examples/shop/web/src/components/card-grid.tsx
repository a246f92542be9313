import type { Card } from '../state/api.ts'
import { ProductCard } from './product-card.tsx'

export function CardGrid({ cards }: { readonly cards: readonly Card[] }) {
  return (
    <div className="grid">
      {cards.map((card) => (
        <ProductCard key={card.id} card={card} />
      ))}
    </div>
  )
}
