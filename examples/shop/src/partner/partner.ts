/**
 * The partner: a remote company's service that quotes shipping rates. It answers after 60 ms, which stands for its distance and
 * its own work; it is the only place in the shop that waits on purpose, and it does so with every fault on and off.
 */
import { setTimeout as wait } from 'node:timers/promises'
import fastify from 'fastify'
import { becomeChild } from '../processes/become-child.ts'

const answerAfterMs = 60

const tariffs = {
  swift: { baseCents: 690, perKilogramCents: 95, days: 1 },
  harbor: { baseCents: 1490, perKilogramCents: 22, days: 4 },
  postal: { baseCents: 390, perKilogramCents: 140, days: 3 },
} as const

const isCarrier = (name: string): name is keyof typeof tariffs => Object.hasOwn(tariffs, name)

const app = fastify()

app.get<{ Params: { carrier: string }; Querystring: { weight: number; country: string } }>(
  '/carriers/:carrier/rates',
  {
    schema: {
      querystring: {
        type: 'object',
        required: ['weight', 'country'],
        properties: { weight: { type: 'integer', minimum: 1 }, country: { type: 'string' } },
      },
    },
  },
  async (request, reply) => {
    const { carrier } = request.params
    if (!isCarrier(carrier)) return reply.code(404).send({ error: `No carrier is called ${carrier}` })
    await wait(answerAfterMs)
    const { baseCents, perKilogramCents, days } = tariffs[carrier]
    const abroad = request.query.country === 'DE' ? 0 : 1
    return {
      carrier,
      priceCents: baseCents + Math.ceil(request.query.weight / 1000) * perKilogramCents + abroad * 500,
      days: days + abroad * 2,
    }
  },
)

const child = becomeChild(() => app.close())
const url = await app.listen({ host: '127.0.0.1', port: 0 })
child.ready({ url })
