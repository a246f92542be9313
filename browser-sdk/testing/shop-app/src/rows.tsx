import { type CSSProperties, type FC, forwardRef, memo } from 'react'

interface Styled {
  readonly style: CSSProperties
}

const helper = (style: CSSProperties) => ({ ...style, padding: 1 })

export const Row: FC<Styled> = ({ style }) => <i style={helper(style)}>row</i>

export const Plain = memo(({ style }: Styled) => {
  const padded = helper(style)
  return <s style={padded}>plain</s>
})

export const Tile = {
  Small: ({ style }: Styled) => <q style={style}>small</q>,
}

export const Labelled = forwardRef<HTMLElement, Styled>(({ style }, ref) => (
  <em ref={ref} style={style}>
    labelled
  </em>
))

export function NamedTwice({ style }: Styled) {
  return (
    <small style={style}>
      <Twin />
    </small>
  )
}

const Twin = () => <sub>twin</sub>
