import type { Server as HttpServer } from 'node:http'
import { createServer, type Server } from 'node:net'
import { CollectorError } from './errors.ts'

export function isLoopback(host: string): boolean {
  return /^127\.\d+\.\d+\.\d+$/.test(host) || host === '::1' || host === 'localhost'
}

/** Whether a `Host` header is a name of this machine. A page whose name was pointed here (DNS rebinding) sends its own. */
export function namesThisMachine(hostHeader: string | undefined): boolean {
  return /^(?:[a-z0-9-]+\.)*(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i.test(hostHeader ?? '')
}

/** The options that choose a port, and the command's word for each. */
const flags = {
  otlpHttpPort: '--otlp-port',
  otlpGrpcPort: '--otlp-grpc-port',
  clickHousePort: '--clickhouse-port',
  pagePort: '--page-port',
} as const
export type PortOption = keyof typeof flags

/**
 * Binds all of them at once and lets them go again: what cannot be had is refused before a store is opened or made for it.
 * Throws as `listen` does.
 */
export async function requirePorts(
  host: string,
  ports: readonly (readonly [PortOption, number | null])[],
): Promise<void> {
  const bound: Server[] = []
  try {
    for (const [option, port] of ports) {
      if (port === null) continue
      const server = createServer()
      await bind(server, host, port, option)
      bound.push(server)
    }
  } finally {
    await Promise.all(bound.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}

/** Starts listening; returns the URL. Throws `HS_PORT_TAKEN` and `HS_ADDRESS`, naming the option that chooses the port. */
export async function listen(
  server: Server,
  scheme: 'http' | 'https',
  host: string,
  port: number,
  option: PortOption,
): Promise<string> {
  await bind(server, host, port, option)
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${bound}`
}

function bind(server: Server, host: string, port: number, option: PortOption): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException) => reject(refusal(error, host, port, option))
    server.once('error', refused)
    server.listen(port, host, () => {
      server.off('error', refused)
      resolve()
    })
  })
}

function refusal(cause: NodeJS.ErrnoException, host: string, port: number, option: PortOption): Error {
  const address = (message: string) => new CollectorError('HS_ADDRESS', message, { cause })
  switch (cause.code) {
    case 'EADDRINUSE':
      return new CollectorError(
        'HS_PORT_TAKEN',
        `port ${port} on ${host} is taken: perhaps another collector runs there. Choose another one with ${flags[option]} (option ${option}), 0 for any free one`,
        { cause },
      )
    case 'EACCES':
      return address(
        `this user may not listen on port ${port} of ${host}; choose one from 1024 up with ${flags[option]} (option ${option}), 0 for any free one`,
      )
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
    case 'EAFNOSUPPORT':
      return address(
        `--host (option host) is ${JSON.stringify(host)}, no address of this machine (${cause.code}); expected one of its own, such as 127.0.0.1, or 0.0.0.0 for all of them`,
      )
    default:
      return cause
  }
}

/** No new connections; requests under way are answered, for at most five seconds. */
export async function stopListening(server: HttpServer): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const kill = setTimeout(() => server.closeAllConnections(), 5000)
  await ended
  clearTimeout(kill)
}
