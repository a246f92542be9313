import { createServer } from 'node:net'

const isFree = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })

/** `wanted` if it can be bound now, else the next of 100 above it that can and is not in `except`; 0 (any) when none can. */
export const nextFreePort = async (
  wanted: number,
  host: string,
  except: readonly number[] = [],
): Promise<number> => {
  if (wanted === 0) return 0
  for (let port = wanted; port < wanted + 100 && port <= 65_535; port++) {
    if (!except.includes(port) && (await isFree(port, host))) return port
  }
  return 0
}
