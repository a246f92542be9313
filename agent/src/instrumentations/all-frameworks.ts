/** For doors that are loaded by code, where nobody can wait and a bundler must see everything. */
import { instrumentAmqplib } from './amqplib.ts'
import { instrumentBullmq } from './bullmq.ts'
import { instrumentExpress } from './express.ts'
import { addFramework } from './framework-packages.ts'
import { instrumentGraphql } from './graphql.ts'
import { instrumentGrpc } from './grpc.ts'
import { instrumentHono } from './hono.ts'
import { instrumentKafkajs } from './kafkajs.ts'
import { instrumentKoa } from './koa.ts'
import { instrumentOpenai } from './openai.ts'
import { instrumentTrpc } from './trpc.ts'

addFramework('express', instrumentExpress)
addFramework('koa', instrumentKoa)
addFramework('hono', instrumentHono)
addFramework('amqplib', instrumentAmqplib)
addFramework('bullmq', instrumentBullmq)
addFramework('@grpc/grpc-js', instrumentGrpc)
addFramework('graphql', instrumentGraphql)
addFramework('@trpc/server', instrumentTrpc)
addFramework('kafkajs', instrumentKafkajs)
addFramework('openai', instrumentOpenai)
