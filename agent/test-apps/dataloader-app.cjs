// A package that the agent itself knows nothing of.
const DataLoader = require('dataloader')
const { trace } = require('@opentelemetry/api')

const items = new DataLoader(async (ids) => ids.map((id) => `item ${id}`))
trace.getTracer('app').startActiveSpan('request', async (span) => {
  const loaded = await Promise.all([items.load(1), items.load(2)])
  span.end()
  process.stdout.write(`${JSON.stringify({ loaded })}\n`)
})
