import { createServer } from 'node:http'
import { closeServer, listen } from '../browser/receiver.ts'

/** The page, another page to leave for, the SDK's script, and an API that answers at once. */
export interface Site {
  /** What `/sdk.js` is from now on. */
  script: string
  readonly origin: string
  close(): Promise<void>
}

export async function openSite(script: string): Promise<Site> {
  const site = { script, origin: '', close: () => closeServer(server) }
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://site')
    if (pathname === '/sdk.js') {
      response.writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'no-store' })
      return response.end(site.script)
    }
    if (pathname.startsWith('/api/')) {
      response.writeHead(200, { 'content-type': 'application/json' })
      return response.end('{"ok":true}')
    }
    if (pathname === '/favicon.ico') return response.writeHead(204).end()
    response.writeHead(200, { 'content-type': 'text/html' })
    response.end(
      pathname === '/'
        ? '<!doctype html><title>page</title><script src="/sdk.js"></script><h1>page</h1>'
        : '<!doctype html><title>elsewhere</title><h1>elsewhere</h1>',
    )
  })
  site.origin = await listen(server)
  return site
}
