import { createServer } from 'node:net'

/** A TCP port of 127.0.0.1 that is free now, for a program that cannot be told to choose one itself. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port)
        else reject(new Error('The system gave no port of 127.0.0.1'))
      })
    })
  })
}
