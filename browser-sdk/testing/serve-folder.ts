import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { closeServer, listen } from './sink.ts'

export interface Served {
  readonly origin: string
  /** Paths that were asked for. */
  readonly asked: string[]
  close(): Promise<void>
}

const types: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html' }

/** A built folder as a web server serves it, with an API that answers everything below `/api/`. `html` stands in for a missing page. */
export const serveFolder = async (
  folder: string,
  html?: string,
  headers: Record<string, string> = {},
): Promise<Served> => {
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url!, 'http://site')
    asked.push(pathname)
    if (pathname.startsWith('/api/')) return response.end('{}')
    const path = pathname === '/' ? '/index.html' : normalize(pathname)
    const content = await readFile(join(folder, path)).catch(() => undefined)
    const body = content ?? (pathname === '/' ? html : undefined)
    if (body === undefined) return response.writeHead(404).end()
    response.writeHead(200, {
      'content-type': types[extname(path)] ?? 'application/octet-stream',
      ...headers,
    })
    response.end(body)
  })
  return { origin: await listen(server), asked, close: () => closeServer(server) }
}
