import type { Server as HttpServer } from 'node:http'
import type { Server } from 'node:net'
import { CollectorError } from './errors.ts'

export function isLoopback(host: string): boolean {
  return /^127\.\d+\.\d+\.\d+$/.test(host) || host === '::1' || host === 'localhost'
}

/** Whether a `Host` header is a name of this machine. A page whose name was pointed here (DNS rebinding) sends its own. */
export function namesThisMachine(hostHeader: string | undefined): boolean {
  return /^(?:[a-z0-9-]+\.)*(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i.test(hostHeader ?? '')
}

/** Starts listening; returns the URL. Throws `HS_PORT_TAKEN`, naming the option that chooses the port. */
export async function listen(
  server: Server,
  scheme: 'http' | 'https',
  host: string,
  port: number,
  option: string,
): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new CollectorError(
              'HS_PORT_TAKEN',
              `port ${port} on ${host} is taken (${option}): perhaps another collector runs there. Choose another one, or 0 for any free one`,
              { cause: error },
            )
          : error,
      )
    })
    server.listen(port, host, () => resolve())
  })
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${bound}`
}

/** No new connections; requests under way are answered, for at most five seconds. */
export async function stopListening(server: HttpServer): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const kill = setTimeout(() => server.closeAllConnections(), 5000)
  await ended
  clearTimeout(kill)
}
