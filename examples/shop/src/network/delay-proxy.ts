import { connect, createServer, type Server, type Socket } from 'node:net'

/** Distance to the database, ms per round trip: two data centres of one region. The same with every fault on and off. */
export const databaseDistanceMs = 2

export interface DelayProxy {
  readonly port: number
  close(): Promise<void>
}

interface Late {
  readonly dueMs: number
  readonly deliver: () => void
}

/**
 * Delivers callbacks a fixed time after they were handed in, in order. One queue serves all connections: the delay is one
 * constant, so the oldest is always due first. Node's timers count whole milliseconds; the rest of the last one is slept on the
 * thread, which costs no CPU and holds up only what arrives in that fraction.
 */
function delayLine(delayMs: number): (deliver: () => void) => void {
  const queue: Late[] = []
  const never = new Int32Array(new SharedArrayBuffer(4))
  let armed = false

  const arm = () => {
    const first = queue[0]
    if (first === undefined) {
      armed = false
      return
    }
    armed = true
    // A timer of n ms fires up to 1 ms early or late: aim one early, then sleep the fraction.
    setTimeout(release, Math.max(0, Math.floor(first.dueMs - performance.now()) - 1))
  }
  const release = () => {
    const first = queue[0]
    const restMs = (first?.dueMs ?? 0) - performance.now()
    if (restMs > 1.2) return arm()
    if (restMs > 0) Atomics.wait(never, 0, 0, restMs)
    const nowMs = performance.now()
    while (queue[0] !== undefined && queue[0].dueMs <= nowMs) queue.shift()?.deliver()
    arm()
  }
  return (deliver) => {
    queue.push({ dueMs: performance.now() + delayMs, deliver })
    if (!armed) arm()
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(address !== null && typeof address === 'object' ? address.port : 0)
    })
  })
}

/**
 * A TCP proxy on a free port of 127.0.0.1 that hands on what the client sends `delayMs` later, and answers at once: a query,
 * which is one message each way, takes `delayMs` longer. Connections do not wait for each other.
 */
export async function startDelayProxy(
  target: { host: string; port: number },
  delayMs: number,
): Promise<DelayProxy> {
  const sockets = new Set<Socket>()
  const later = delayLine(delayMs)

  // Half open: one side may have said all and still wait for the answer.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const remote = connect({ ...target, allowHalfOpen: true })
    for (const socket of [client, remote]) {
      socket.setNoDelay(true)
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('data', (chunk) => later(() => remote.write(chunk)))
    client.on('end', () => later(() => remote.end()))
    remote.pipe(client)
    client.on('error', () => remote.destroy())
    remote.on('error', () => client.destroy())
    client.on('close', () => later(() => remote.destroy()))
  })
  const port = await listen(server)

  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
