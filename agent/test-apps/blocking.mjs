// An app that blocks its event loop in two ways: its own function after an await, and a model on the main thread.
import Fastify from 'fastify'
import * as ort from 'onnxruntime-node'

const app = Fastify({ forceCloseConnections: true })

function sortManyTimes(rounds) {
  let sum = 0
  for (let round = 0; round < rounds; round++) {
    const list = Array.from({ length: 20_000 }, (_, i) => (i * 7919) % 20_011)
    list.sort((a, b) => a - b)
    sum += list[10]
  }
  return sum
}

app.get('/report', async (request) => {
  await new Promise((resolve) => setTimeout(resolve, 5))
  return { sum: sortManyTimes(Number(request.query.rounds ?? 100)) }
})

app.get('/quick', async () => 'quick')

let session
app.get('/predict', async () => {
  session ??= await ort.InferenceSession.create(process.env.MODEL_FILE)
  const data = Float32Array.from([1, 2, 3, 4, 5, 6])
  const { y } = await session.run({ x: new ort.Tensor('float32', data, [2, 3]) })
  return { y: [...y.data] }
})

await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${JSON.stringify({ port: app.server.address().port })}\n`)
process.on('SIGUSR2', () => app.close())
