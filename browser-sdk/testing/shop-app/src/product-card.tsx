import { memo } from 'react'

interface Props {
  readonly style: { readonly margin: number }
}

/** memo in vain. */
export const ProductCard = memo(function ProductCard({ style }: Props) {
  return <b style={style}>card</b>
})
