// `--import` of stock instrumentations (STOCK, names with commas) beside the agent: what a user would write in a file of their
// own. Their spans go where the agent's go.
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { AmqplibInstrumentation } from '@opentelemetry/instrumentation-amqplib'
import { DataloaderInstrumentation } from '@opentelemetry/instrumentation-dataloader'
import { GraphQLInstrumentation } from '@opentelemetry/instrumentation-graphql'
import { GrpcInstrumentation } from '@opentelemetry/instrumentation-grpc'
import { KoaInstrumentation } from '@opentelemetry/instrumentation-koa'

const stock = {
  amqplib: () => new AmqplibInstrumentation({ useLinksForConsume: false }),
  dataloader: () => new DataloaderInstrumentation(),
  graphql: () => new GraphQLInstrumentation({ ignoreResolveSpans: true }),
  grpc: () => new GrpcInstrumentation(),
  koa: () => new KoaInstrumentation(),
}

registerInstrumentations({ instrumentations: process.env.STOCK.split(',').map((name) => stock[name]()) })
