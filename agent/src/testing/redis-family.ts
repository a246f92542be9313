import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from './free-port.ts'
import { startRedisWith } from './redis.ts'
import type { ServerProcess } from './server-process.ts'

export interface RedisFamily {
  readonly ports: readonly number[]
  stop(): Promise<void>
}

const LAST_SLOT = 16_383

/** A cluster of two nodes that share the slots. */
export async function startRedisCluster(): Promise<RedisFamily> {
  const nodes: ServerProcess[] = []
  const folders: string[] = []
  const buses: number[] = []
  for (let i = 0; i < 2; i++) {
    const folder = mkdtempSync(join(tmpdir(), 'hotspan-redis-'))
    const bus = await freePort()
    folders.push(folder)
    buses.push(bus)
    nodes.push(
      await startRedisWith(['--cluster-enabled', 'yes', '--cluster-port', `${bus}`, '--dir', folder]),
    )
  }
  const [first, second] = nodes.map(({ port }) => new Redis({ host: '127.0.0.1', port })) as [Redis, Redis]
  await first.call('CLUSTER', 'ADDSLOTSRANGE', 0, LAST_SLOT >> 1)
  await second.call('CLUSTER', 'ADDSLOTSRANGE', (LAST_SLOT >> 1) + 1, LAST_SLOT)
  await first.call('CLUSTER', 'MEET', '127.0.0.1', nodes[1]!.port, buses[1]!)
  for (const node of [first, second]) {
    while (!/cluster_state:ok[\s\S]*cluster_known_nodes:2/.test(String(await node.call('CLUSTER', 'INFO'))))
      await new Promise((resolve) => setTimeout(resolve, 50))
    node.disconnect()
  }
  return {
    ports: nodes.map(({ port }) => port),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()))
      for (const folder of folders) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A server and a sentinel that names it as master of `main`; the ports are those of the two, in this order. */
export async function startRedisSentinel(): Promise<RedisFamily> {
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-redis-'))
  const master = await startRedisWith([])
  const file = join(folder, 'sentinel.conf')
  writeFileSync(file, `sentinel monitor main 127.0.0.1 ${master.port} 1\n`)
  const sentinel = await startRedisWith([file, '--sentinel', '--dir', folder])
  return {
    ports: [master.port, sentinel.port],
    async stop() {
      await Promise.all([master.stop(), sentinel.stop()])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
