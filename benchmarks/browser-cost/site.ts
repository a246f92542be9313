import { createServer } from 'node:http'
import { closeServer, listen } from '../browser/receiver.ts'

const products = JSON.stringify(
  Array.from({ length: 200 }, (_, n) => ({ id: `p${n}`, name: `Product number ${n}`, price: 100 + n * 37 })),
)

export interface Site {
  readonly origin: string
  close(): Promise<void>
}

/**
 * The page with an SDK's script, with its attributes, in front of the application's; without one the application stands alone.
 */
export async function openSite(sdk: string, app: string, attributes = ''): Promise<Site> {
  const head = sdk ? `<script src="/sdk.js"${attributes}></script>` : ''
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://site')
    const answer = (type: string, body: string) =>
      response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
    if (pathname === '/sdk.js') answer('text/javascript', sdk)
    else if (pathname === '/app.js') answer('text/javascript', app)
    else if (pathname === '/api/products') answer('application/json', products)
    else if (pathname.startsWith('/api/')) answer('application/json', '{"ok":true}')
    else if (pathname === '/favicon.ico') response.writeHead(204).end()
    else
      answer(
        'text/html',
        `<!doctype html><title>page</title>${head}<div id="root"></div><script type="module" src="/app.js"></script>`,
      )
  })
  return { origin: await listen(server), close: () => closeServer(server) }
}
