export async function GET(_request, { params }) {
  const { id } = await params
  if (id === 'fails') throw new Error('meant to fail')
  const answer = await fetch(`${process.env.UPSTREAM}/stock?key=hunter2`)
  return Response.json({ id, answer: await answer.text() })
}
