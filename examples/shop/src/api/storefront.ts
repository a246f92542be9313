import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { customerCount } from '../database/schema.ts'
import type { Faults } from '../faults.ts'

/** What the page is told when it loads; the other side is `web/src/shop-config.ts`. */
interface PageConfig {
  readonly customer: number
  /** OTLP/HTTP address for the browser; null: the page sends nothing. */
  readonly telemetryEndpoint: string | null
  readonly contextRecreated: boolean
}

const pages = ['/', '/search', '/products/:id', '/cart'] as const
const placeholder = '"__SHOP_CONFIG__"'
const builtRoot = (faults: Faults): string =>
  fileURLToPath(
    new URL(`../../dist/web/${faults.has('oversized-bundle') ? 'unsplit' : 'split'}/`, import.meta.url),
  )

/** JSON inside a script element must not be able to end it. */
const scriptJson = (config: PageConfig): string => JSON.stringify(config).replaceAll('<', '\\u003c')

/** A visitor keeps a customer number in a cookie; a new one gets the next. */
function customerOf(cookie: string | undefined, next: () => number): { customer: number; isNew: boolean } {
  const known = Number(/(?:^|;\s*)customer=(\d{1,9})(?:;|$)/.exec(cookie ?? '')?.[1])
  return known > 0 ? { customer: known, isNew: false } : { customer: next(), isNew: true }
}

/** Headers of a file whose name carries a hash of its content: it can be kept for ever. */
const keepForEver = { cacheControl: true, immutable: true, maxAge: '365d', etag: true } as const
/** Fault `uncached-assets`: every page load fetches every file again. */
const keepNothing = { cacheControl: false, etag: false, lastModified: false } as const

/** Serves the built storefront: one HTML page for every address of the client-side router, and its files. */
export async function storefront(
  app: FastifyInstance,
  options: { readonly faults: Faults; readonly telemetryEndpoint: string | undefined },
): Promise<void> {
  const { faults, telemetryEndpoint } = options
  const root = builtRoot(faults)
  const html = await readFile(`${root}index.html`, 'utf8')
  const uncached = faults.has('uncached-assets')

  await app.register(fastifyStatic, {
    root: `${root}assets`,
    prefix: '/assets/',
    preCompressed: true,
    index: false,
    ...(uncached ? keepNothing : keepForEver),
    ...(uncached && { setHeaders: (reply) => reply.header('cache-control', 'no-store') }),
  })

  let visitors = 0
  const nextCustomer = () => {
    visitors += 1
    return 1 + ((visitors - 1) % customerCount)
  }
  for (const path of pages) {
    app.get(path, async (request, reply) => {
      const { customer, isNew } = customerOf(request.headers.cookie, nextCustomer)
      if (isNew) reply.header('set-cookie', `customer=${customer}; Path=/; SameSite=Lax; HttpOnly`)
      const config = scriptJson({
        customer,
        telemetryEndpoint: telemetryEndpoint ?? null,
        contextRecreated: faults.has('context-recreated'),
      })
      return reply
        .header('cache-control', 'private, no-cache')
        .type('text/html; charset=utf-8')
        .send(html.replace(placeholder, () => config))
    })
  }
}
