/**
 * The API process. `startShop` runs it as `node --import @hotspan/agent/register src/server.ts` (Node strips the types) with its
 * settings in the environment: SHOP_DATABASE_URL, SHOP_PARTNER_URL, SHOP_FAULTS, SHOP_PORT (0: a free one) and
 * SHOP_BROWSER_ENDPOINT (OTLP address for the page; none: the page sends nothing).
 */
import fastify from 'fastify'
import { cartRoutes } from './api/cart-routes.ts'
import { loadCatalogue } from './api/catalogue.ts'
import { openPool } from './api/open-pool.ts'
import { productPageRoutes } from './api/product-page-routes.ts'
import { productRoutes } from './api/product-routes.ts'
import { storefront } from './api/storefront.ts'
import { parseFaults } from './faults.ts'
import { becomeChild } from './processes/become-child.ts'
import { writeModelFile } from './recommendations/model-file.ts'
import { scoreInWorker, scoreOnMainThread } from './recommendations/start-scoring.ts'

function setting(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`${name} is not set; startShop sets it`)
  return value
}

const app = fastify()
const modelFile = writeModelFile()
let release = async () => {}
const child = becomeChild(async () => {
  await app.close()
  await release()
  modelFile.remove()
})

const faults = parseFaults(process.env.SHOP_FAULTS)
const model = { modelPath: modelFile.path, modelPerRequest: faults.has('model-per-request') }
const pool = await openPool(setting('SHOP_DATABASE_URL'), faults)
const scoring = await (faults.has('inference-on-main-thread')
  ? scoreOnMainThread(model)
  : scoreInWorker(model))
release = async () => {
  await scoring.close()
  await pool.end()
}

const context = {
  pool,
  faults,
  partnerUrl: setting('SHOP_PARTNER_URL'),
  scoring,
  catalogue: await loadCatalogue(pool),
}
productRoutes(app, context)
productPageRoutes(app, context)
cartRoutes(app, context)
await storefront(app, { faults, telemetryEndpoint: process.env.SHOP_BROWSER_ENDPOINT || undefined })

const url = await app.listen({ host: '127.0.0.1', port: Number(process.env.SHOP_PORT ?? 0) })
child.ready({ url })
