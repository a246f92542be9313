import type { CSSProperties } from 'react'

const Later = (props: { style: CSSProperties }) => {
  return <code style={props.style}>later</code>
}

export default Later
