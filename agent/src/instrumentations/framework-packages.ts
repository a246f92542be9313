import { instrumentAmqplib } from './amqplib.ts'
import { instrumentBullmq } from './bullmq.ts'
import { instrumentExpress } from './express.ts'
import { instrumentGraphql } from './graphql.ts'
import { instrumentGrpc } from './grpc.ts'
import { instrumentHono } from './hono.ts'
import { instrumentKafkajs } from './kafkajs.ts'
import { instrumentKoa } from './koa.ts'
import type { PackageTarget } from './module-hook.ts'
import { instrumentOpenai } from './openai.ts'
import { instrumentTrpc } from './trpc.ts'

/** Web frameworks, RPC, queues and model clients. Each is switched off by its name. */
export const frameworkPackages: readonly PackageTarget[] = [
  { name: 'express', patch: instrumentExpress },
  { name: 'koa', patch: instrumentKoa },
  {
    name: 'hono',
    subpaths: ['hono/tiny', 'hono/quick'],
    esm: String.raw`dist/(?:hono|preset/(?:tiny|quick)|router/[a-z-]+/router)\.js`,
    patch: instrumentHono,
  },
  { name: 'amqplib', subpaths: ['amqplib/callback_api'], patch: instrumentAmqplib },
  { name: 'bullmq', esm: String.raw`dist/esm/index\.js`, patch: instrumentBullmq },
  { name: '@grpc/grpc-js', patch: instrumentGrpc },
  { name: 'graphql', patch: instrumentGraphql },
  { name: '@trpc/server', esm: String.raw`dist/index\.mjs`, patch: instrumentTrpc },
  { name: 'kafkajs', patch: instrumentKafkajs },
  { name: 'openai', esm: String.raw`index\.mjs`, patch: instrumentOpenai },
]
