// One of several web frameworks (FRAMEWORK), loaded by `require` (LOADED_BY=require) or by `import`. Every app answers
//   GET /api/items/7   nested router      GET /api/fails/7   its handler throws
//   GET /shops/3/carts/7   router under a pattern, where the framework has that      GET /nowhere   404
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { trace } from '@opentelemetry/api'

const require = createRequire(import.meta.url)
const load = (name, imported) => (process.env.LOADED_BY === 'require' ? require(name) : imported())
const main = (module) => module.default ?? module
const fails = () => {
  throw new Error('meant to fail')
}
/** A child span between the server's and the handler: the route must find the server's nevertheless. */
const inSpan = (run) =>
  trace.getTracer('app').startActiveSpan('middleware', async (span) => {
    await run()
    span.end()
  })

const frameworks = {
  async express() {
    const path = process.env.EXPRESS ?? 'express'
    const express = main(await load(path, () => import(path)))
    const api = express.Router()
    api.use((_request, _response, next) => next())
    api.get('/items/:id', (request, response) => response.json(request.params))
    api.get('/fails/:id', fails)
    const carts = express.Router()
    carts.get('/:id', (request, response) => response.json(request.params))
    const shops = express.Router({ mergeParams: true })
    shops.use('/carts', carts)
    const app = express()
    app.use('/:any', (_request, _response, next) => next())
    app.use('/api', api)
    app.use('/shops/:shop', shops)
    app.get(['/one', '/two'], (_request, response) => response.json({}))
    app.use((_error, _request, response, _next) => response.status(500).json({}))
    return createServer(app)
  },

  async koa() {
    const Koa = main(await load('koa', () => import('koa')))
    const Router = main(await load('@koa/router', () => import('@koa/router')))
    const items = new Router()
    items.use((_context, next) => next())
    items.get('/items/:id', (context) => {
      context.body = context.params
    })
    items.get('/fails/:id', fails)
    const carts = new Router()
    carts.get('/carts/:id', (context) => {
      context.body = context.params
    })
    const root = new Router()
    root.use('/api', items.routes(), items.allowedMethods())
    root.use('/shops/:shop', carts.routes())
    const app = new Koa()
    app.silent = true
    app.use((_context, next) => inSpan(next))
    // What koa-mount does.
    app.use(async (context, next) => {
      const { path } = context
      if (path.startsWith('/mounted')) context.path = path.slice('/mounted'.length)
      await next()
      context.path = path
    })
    app.use(root.routes())
    return createServer(app.callback())
  },

  async hono() {
    const { Hono } = await load('hono', () => import('hono'))
    const { createAdaptorServer } = await load('@hono/node-server', () => import('@hono/node-server'))
    const api = new Hono()
    api.use('*', async (_context, next) => next())
    api.get('/items/:id', (context) => context.json(context.req.param()))
    api.get('/fails/:id', fails)
    const carts = new Hono()
    carts.onError((_error, context) => context.text('', 500))
    carts.get('/carts/:id', (context) => context.json(context.req.param()))
    const app = new Hono()
    app.onError((_error, context) => context.text('', 500))
    app.use((_context, next) => inSpan(next))
    app.route('/api', api)
    app.route('/shops/:shop', carts)
    return createAdaptorServer({ fetch: app.fetch })
  },

  /** The router that is built at the first request, without the one that chooses. */
  async 'hono/tiny'() {
    const { Hono } = await load('hono/tiny', () => import('hono/tiny'))
    const { createAdaptorServer } = await load('@hono/node-server', () => import('@hono/node-server'))
    const app = new Hono().basePath('/api')
    app.get('/items/:id', (context) => context.json(context.req.param()))
    return createAdaptorServer({ fetch: app.fetch })
  },

  'nest-express': () =>
    nest('ExpressAdapter', '@nestjs/platform-express', () => import('@nestjs/platform-express')),
  'nest-fastify': () =>
    nest('FastifyAdapter', '@nestjs/platform-fastify', () => import('@nestjs/platform-fastify')),
}

/** NestJS without a compiler: its decorators are called by hand. */
async function nest(adapterName, platform, imported) {
  await load('reflect-metadata', () => import('reflect-metadata'))
  const { Controller, Get, Module, Param } = await load('@nestjs/common', () => import('@nestjs/common'))
  const { NestFactory } = await load('@nestjs/core', () => import('@nestjs/core'))
  const adapter = await load(platform, imported)
  class Api {
    item(id) {
      return { id }
    }
  }
  Api.prototype.fails = fails
  class Carts {
    cart(id) {
      return { id }
    }
  }
  const controller = (path, type, routes) => {
    for (const [name, route] of Object.entries(routes)) {
      Get(route)(type.prototype, name, Object.getOwnPropertyDescriptor(type.prototype, name))
      Param('id')(type.prototype, name, 0)
    }
    Controller(path)(type)
  }
  controller('api', Api, { item: 'items/:id', fails: 'fails/:id' })
  controller('shops/:shop', Carts, { cart: 'carts/:id' })
  class Root {}
  Module({ controllers: [Api, Carts] })(Root)
  const app = await NestFactory.create(Root, new adapter[adapterName](), { logger: false })
  await app.init()
  if (platform.endsWith('fastify')) await app.getHttpAdapter().getInstance().ready()
  return app.getHttpServer()
}

const server = await frameworks[process.env.FRAMEWORK]()
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`)
})
