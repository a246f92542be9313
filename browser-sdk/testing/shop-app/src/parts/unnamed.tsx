import type { CSSProperties } from 'react'

export default function ({ style }: { style: CSSProperties }) {
  return <strong style={style}>unnamed</strong>
}
