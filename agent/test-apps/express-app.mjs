// Express with a nested router; calls itself through the undici package.
import express from 'express'
import { request } from 'undici'

const app = express()
const api = express.Router()
api.get('/items/:id', (req, res) => res.json({ id: req.params.id }))
app.use('/api/v1', api)
app.get('/outer/:id', async (req, res) => {
  const { body } = await request(`http://127.0.0.1:${server.address().port}/api/v1/items/${req.params.id}`)
  res.json(await body.json())
})
const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`)
})
