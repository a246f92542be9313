// GraphQL at /graphql and tRPC below /trpc on one server (by import, or by require with LOADED_BY=require), and a tRPC client
// that asks it in spans of its own at /ask.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { trace } from '@opentelemetry/api'
import { createTRPCClient, httpBatchLink, httpLink, splitLink } from '@trpc/client'

const require = createRequire(import.meta.url)
const load = (name, imported) => (process.env.LOADED_BY === 'require' ? require(name) : imported())
const { buildSchema, execute, graphql, GraphQLError, parse, validate } = await load(
  'graphql',
  () => import('graphql'),
)
const { initTRPC, TRPCError } = await load('@trpc/server', () => import('@trpc/server'))
const { createHTTPHandler } = await load(
  '@trpc/server/adapters/standalone',
  () => import('@trpc/server/adapters/standalone'),
)

const tracer = trace.getTracer('app')
const handled = (name) => tracer.startSpan(name).end()

const schema = buildSchema('type Query { item(id: ID, note: String): String, broken: String }')
const rootValue = {
  item({ id }) {
    handled('item resolver')
    return Promise.resolve(`item ${id}`)
  },
  broken() {
    throw new GraphQLError('meant to fail', { extensions: { code: 'MEANT' } })
  },
}
async function answerGraphql({ query, variables, operationName, byHand }) {
  if (!byHand) return graphql({ schema, source: query, rootValue, variableValues: variables, operationName })
  const document = parse(query)
  const errors = validate(schema, document)
  return errors.length > 0 ? { errors } : execute({ schema, document, rootValue })
}

const t = initTRPC.context().create()
const authorized = t.procedure.use(({ next }) => {
  handled('app middleware')
  return next()
})
const router = t.router({
  items: t.router({
    // Two builders in one, as plugins do it.
    byId: t.procedure.concat(t.procedure).query(() => {
      handled('byId')
      return { id: 7 }
    }),
    add: authorized.mutation(() => 'added'),
    missing: t.procedure.query(() => {
      throw new TRPCError({ code: 'NOT_FOUND', message: 'no such item' })
    }),
    fails: t.procedure.query(() => {
      throw new Error('meant to fail')
    }),
  }),
})
const trpc = createHTTPHandler({ router, basePath: '/trpc/' })

async function ask() {
  const url = `http://127.0.0.1:${server.address().port}/trpc`
  const client = createTRPCClient({
    links: [
      splitLink({
        condition: ({ context }) => context.alone,
        true: httpLink({ url }),
        false: httpBatchLink({ url }),
      }),
    ],
  })
  const alone = { context: { alone: true } }
  const inSpan = (name, run) =>
    tracer.startActiveSpan(name, async (span) => {
      const result = await run().catch((error) => error.data?.code)
      span.end()
      return result
    })
  return {
    query: await inSpan('query', () => client.items.byId.query(undefined, alone)),
    mutation: await inSpan('mutation', () => client.items.add.mutate(undefined, alone)),
    missing: await inSpan('missing', () => client.items.missing.query(undefined, alone)),
    fails: await inSpan('fails', () => client.items.fails.query(undefined, alone)),
    batch: await inSpan('batch', () => Promise.all([client.items.byId.query(), client.items.byId.query()])),
    direct: await inSpan('direct', () => t.createCallerFactory(router)({}).items.byId()),
  }
}

const server = createServer(async (request, response) => {
  if (request.url.startsWith('/trpc')) return trpc(request, response)
  let body = ''
  for await (const part of request) body += part
  const answer = request.url === '/ask' ? await ask() : await answerGraphql(JSON.parse(body))
  response.end(JSON.stringify(answer))
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`)
})
