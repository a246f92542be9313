// `--import` of the stock SDK with the database instrumentations that ours are compared with.

import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis'
import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb'
import { MySQL2Instrumentation } from '@opentelemetry/instrumentation-mysql2'
import { RedisInstrumentation } from '@opentelemetry/instrumentation-redis'
import { NodeSDK } from '@opentelemetry/sdk-node'

const sdk = new NodeSDK({
  instrumentations: [
    new IORedisInstrumentation(),
    new RedisInstrumentation(),
    new MySQL2Instrumentation(),
    new MongoDBInstrumentation(),
  ],
})
sdk.start()
process.on('SIGTERM', () => sdk.shutdown().finally(() => process.exit(0)))
