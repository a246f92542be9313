import { type AddressInfo, createServer } from 'node:net'

/** A port of the loopback interface that was free just now, for servers that cannot be told to choose. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
