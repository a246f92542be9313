// A gRPC server and a client of it (by import, or by require with LOADED_BY=require) with JSON instead of protobuf: every kind
// of call, each in a span of the app's own.
import { createRequire } from 'node:module'
import { trace } from '@opentelemetry/api'

const grpc =
  process.env.LOADED_BY === 'require'
    ? createRequire(import.meta.url)('@grpc/grpc-js')
    : await import('@grpc/grpc-js')
const { credentials, makeGenericClientConstructor, Metadata, Server, ServerCredentials, status } = grpc

const json = {
  requestSerialize: (value) => Buffer.from(JSON.stringify(value)),
  requestDeserialize: (bytes) => JSON.parse(bytes),
  responseSerialize: (value) => Buffer.from(JSON.stringify(value)),
  responseDeserialize: (bytes) => JSON.parse(bytes),
}
const method = (name, requestStream, responseStream) => ({
  path: `/shop.Items/${name}`,
  requestStream,
  responseStream,
  ...json,
})
const service = {
  Get: method('Get', false, false),
  Fail: method('Fail', false, false),
  Throw: method('Throw', false, false),
  Hang: method('Hang', false, false),
  Sum: method('Sum', true, false),
  List: method('List', false, true),
  Echo: method('Echo', true, true),
}

const tracer = trace.getTracer('app')
/** A span in the server, so that the test sees in whose context it ran. */
const handled = (name) => tracer.startSpan(`handled ${name}`).end()

const server = new Server()
server.addService(service, {
  Get(call, callback) {
    handled('Get')
    callback(null, { id: call.request.id, tracestate: call.metadata.get('tracestate') })
  },
  Fail(_call, callback) {
    callback({ code: status.NOT_FOUND, details: 'no such item' })
  },
  Throw() {
    throw new Error('meant to fail')
  },
  Hang() {},
  Sum(call, callback) {
    let sum = 0
    call.on('data', (n) => {
      sum += n
    })
    call.on('end', () => {
      handled('Sum')
      callback(null, sum)
    })
  },
  List(call) {
    handled('List')
    for (const n of [1, 2, 3]) call.write(n)
    call.end()
  },
  Echo(call) {
    call.on('data', (n) => {
      handled('Echo')
      call.write(n)
    })
    call.on('end', () => call.end())
  },
})
const port = await new Promise((resolve, reject) =>
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
    error ? reject(error) : resolve(bound),
  ),
)

const Items = makeGenericClientConstructor(service, 'shop.Items')
const client = new Items(`dns:///localhost:${port}`, credentials.createInsecure())
const metadata = new Metadata()

const activeSpan = () => trace.getActiveSpan()?.spanContext().spanId
const called = (name, argument, options) =>
  new Promise((resolve) => {
    const before = activeSpan()
    const answer = (error, value) =>
      resolve({
        value,
        code: error?.code,
        sameContext: activeSpan() === before,
        metadata: Object.keys(metadata.getMap()),
      })
    client[name](argument, metadata, ...(options ? [options] : []), answer)
  })
const read = async (stream) => {
  const all = []
  for await (const value of stream) all.push(value)
  return all
}

const calls = {
  Get: () => called('Get', { id: 7 }),
  Fail: () => called('Fail', {}),
  Throw: () => called('Throw', {}),
  Hang: () => called('Hang', {}, { deadline: Date.now() + 200 }),
  Sum: () =>
    new Promise((resolve, reject) => {
      const call = client.Sum((error, value) => (error ? reject(error) : resolve(value)))
      for (const n of [1, 2, 3]) call.write(n)
      call.end()
    }),
  List: () => read(client.List({})),
  Echo() {
    const call = client.Echo()
    call.write('a')
    call.end()
    return read(call)
  },
}
const results = { port }
for (const [name, call] of Object.entries(calls)) {
  await tracer.startActiveSpan(`call ${name}`, async (span) => {
    results[name] = await call()
    span.end()
  })
}
client.close()
server.forceShutdown()
process.stdout.write(`${JSON.stringify(results)}\n`)
