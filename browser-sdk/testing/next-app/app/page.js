import Link from 'next/link'

export default function Home() {
  return (
    <Link id="item" href="/items/red-shoe">
      red shoe
    </Link>
  )
}
