'use client'

import { useState } from 'react'

const ProductCard = ({ look }) => <b style={look}>shoe</b>

async function askServer() {
  const answer = await fetch('/api/ask')
  return answer.json()
}

export function ProductPage() {
  const [clicks, setClicks] = useState(0)
  const again = () => {
    askServer()
    setClicks(clicks + 1)
  }
  return (
    <button type="button" id="again" onClick={again}>
      <i>{clicks}</i>
      <ProductCard look={{ margin: 1 }} />
    </button>
  )
}
