import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { startDelayProxy } from './delay-proxy.ts'

const opened: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function behindProxy(onConnection: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer(onConnection)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const proxy = await startDelayProxy({ host: '127.0.0.1', port }, 2)
  opened.push(() => new Promise((resolve) => server.close(resolve)), proxy.close)
  return proxy.port
}

function read(socket: Socket, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let got = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      got = Buffer.concat([got, chunk])
      if (got.length >= length) resolve(got)
    })
    socket.once('error', reject)
  })
}

test('bytes arrive whole and in order, both ways', async () => {
  const port = await behindProxy((socket) => socket.pipe(socket))
  const sent = randomBytes(3_000_000)
  const socket = connect(port, '127.0.0.1')
  socket.write(sent)
  expect((await read(socket, sent.length)).equals(sent)).toBe(true)
  socket.destroy()
})

test('a connection whose server is silent holds up no other', async () => {
  const port = await behindProxy((socket) => {
    socket.on('data', (chunk) => {
      if (chunk.toString() !== 'never answered') socket.write(chunk)
    })
  })
  const silent = connect(port, '127.0.0.1')
  silent.write('never answered')
  const others = Array.from({ length: 8 }, () => connect(port, '127.0.0.1'))
  for (const other of others) other.write('hello')
  const answers = await Promise.all(others.map((other) => read(other, 5)))
  expect(answers.map(String)).toEqual(others.map(() => 'hello'))
  for (const socket of [silent, ...others]) socket.destroy()
})

test('the end of either side reaches the other', async () => {
  const serverSaw: string[] = []
  const port = await behindProxy((socket) => {
    socket.on('data', (chunk) => serverSaw.push(String(chunk)))
    socket.on('end', () => socket.end('bye'))
  })
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const answer = read(socket, 3)
  socket.end('last words')
  expect(String(await answer)).toBe('bye')
  if (!socket.closed) await once(socket, 'close')
  expect(serverSaw.join('')).toBe('last words')
})
