// ioredis and redis against a cluster of two nodes (PORTS) or the master that a sentinel names (SENTINEL); a trace per step.
import { trace } from '@opentelemetry/api'
import { Cluster, Redis } from 'ioredis'
import { createCluster, createSentinel } from 'redis'

const ports = (process.env.PORTS ?? '').split(',').map(Number)
const sentinel = { host: '127.0.0.1', port: Number(process.env.SENTINEL) }
const tracer = trace.getTracer('steps')
const step = (name, work) =>
  tracer.startActiveSpan(name, async (span) => {
    await work()
    span.end()
  })

/** Hands an empty slot to the other node behind the client's back. */
async function moveSlot(key) {
  const nodes = ports.map((port) => new Redis({ host: '127.0.0.1', port }))
  const ids = await Promise.all(nodes.map((node) => node.cluster('MYID')))
  const slot = await nodes[0].cluster('KEYSLOT', key)
  const owner = (await nodes[0].set(key, 'x').catch(() => undefined)) === 'OK' ? 0 : 1
  await nodes[owner].del(key)
  const other = 1 - owner
  await nodes[other].cluster('SETSLOT', slot, 'NODE', ids[other])
  await nodes[owner].cluster('SETSLOT', slot, 'NODE', ids[other])
  for (const node of nodes) node.disconnect()
  return ports[other]
}

let movedTo
if (process.env.SENTINEL === undefined) {
  const cluster = new Cluster([{ host: '127.0.0.1', port: ports[0] }])
  // Before the cluster is known: such commands wait in the client.
  await step('ioredis early', () => cluster.set('early:1', 'x'))
  await step('ioredis pipeline', () => cluster.pipeline().set('{a}:1', 'x').get('{a}:1').exec())
  movedTo = await moveSlot('moved:1')
  await step('ioredis moved', () => cluster.get('moved:1'))
  cluster.disconnect()
  const client = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${ports[0]}` }] })
  await client.connect()
  await step('redis', () => client.set('later:1', 'x'))
  client.destroy()
} else {
  const client = new Redis({ sentinels: [sentinel], name: 'main' })
  await client.ping()
  await step('ioredis', () => client.set('a:1', 'x'))
  client.disconnect()
  const other = await createSentinel({ name: 'main', sentinelRootNodes: [sentinel] }).connect()
  await step('redis', () => other.set('a:2', 'x'))
  other.destroy()
}
process.stdout.write(`${JSON.stringify({ done: true, movedTo })}\n`)
