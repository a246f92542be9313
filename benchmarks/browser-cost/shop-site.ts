import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { closeServer, listen } from '../browser/receiver.ts'
import { answerOf } from './shop-answers.ts'
import type { Site } from './site.ts'

const built = new URL('../../examples/shop/dist/web/split/', import.meta.url)

/** The shop's own switch; what the page gets in place of the placeholder that the shop's server fills. */
const config = (telemetryEndpoint: string | null): string =>
  JSON.stringify({ customer: 1, telemetryEndpoint, contextRecreated: false })

/**
 * The storefront of `examples/shop` as it was built, in front of fixed answers of its API: a database would add its noise. With
 * `receiver` null the same files run and the SDK in them is switched off.
 */
export async function openShopSite(receiver: string | null): Promise<Site> {
  const off = receiver === null ? '<script>HOTSPAN_DISABLED = true</script>' : ''
  const html = readFileSync(new URL('index.html', built), 'utf8')
    .replace('"__SHOP_CONFIG__"', () => config(receiver))
    .replace('<head>', `<head>${off}`)
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://shop')
    if (url.pathname.startsWith('/api/')) {
      const answer = answerOf(request.method!, url)
      return answer === undefined
        ? response.writeHead(404).end()
        : response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    }
    if (!url.pathname.startsWith('/assets/'))
      return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html)
    const type = url.pathname.endsWith('.css') ? 'text/css' : 'text/javascript'
    response.writeHead(200, { 'content-type': type }).end(readFileSync(new URL(`.${url.pathname}`, built)))
  })
  return { origin: await listen(server), close: () => closeServer(server) }
}
