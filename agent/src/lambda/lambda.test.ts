import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { attributesOf, only, type Sink, startSink } from '../testing/sink.ts'
import { triggerOf } from './trigger.ts'

let sink: Sink
let child: ChildProcess
let lines: Interface
const printed: Record<string, unknown>[] = []
let wake: () => void = () => {}

beforeEach(async () => {
  sink = await startSink()
  printed.length = 0
})
afterEach(async () => {
  child.kill('SIGKILL')
  await sink.close()
})

const packageFolder = fileURLToPath(new URL('../..', import.meta.url))

const start = (env: Record<string, string> = {}, app = 'test-apps/lambda-app.mjs'): void => {
  child = spawn(process.env.HOTSPAN_TEST_NODE ?? process.execPath, [app], {
    cwd: packageFolder,
    env: {
      PATH: process.env.PATH,
      AWS_LAMBDA_FUNCTION_NAME: 'resize',
      AWS_REGION: 'eu-west-1',
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      ...env,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  lines = createInterface({ input: child.stdout! })
  lines.on('line', (line) => {
    printed.push(JSON.parse(line))
    wake()
  })
}

/** Stopped by a signal, as the kernel says. */
const isFrozen = (): boolean =>
  / T /.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8').replace(/^.*\)/, ''))

/** Invokes the function and resolves once the process is frozen. */
async function invoke(event: object): Promise<Record<string, unknown>> {
  child.kill('SIGCONT')
  child.stdin!.write(`${JSON.stringify(event)}\n`)
  const answered = (): boolean => 'number' in (printed.at(-1) ?? {}) && printed.at(-1) !== before
  const before = printed.at(-1)
  while (!answered()) await new Promise<void>((resolve) => (wake = resolve))
  while (!isFrozen()) await new Promise((resolve) => setImmediate(resolve))
  return printed.at(-1)!
}

test('agent and function in one CommonJS bundle', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-lambda-'))
  try {
    const file = join(folder, 'function.cjs')
    await build({
      stdin: {
        contents: `import { wrapHandler } from '@hotspan/agent/lambda'
          const handler = wrapHandler(async () => ({ statusCode: 204 }))
          handler({}, { functionName: 'resize' }).then((answer) => console.log(JSON.stringify(answer)))`,
        resolveDir: packageFolder,
      },
      outfile: file,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      external: ['@datadog/pprof'],
      logLevel: 'error',
      logOverride: { 'empty-import-meta': 'silent' },
    })
    start({}, file)
    while (printed.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    expect(printed).toEqual([{ statusCode: 204 }])
    expect(attributesOf(only(sink.spans, 'resize'))['faas.coldstart']).toBe(true)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('spans have arrived before the freeze; the first invocation is a cold start', async () => {
  start()
  const trace = 'ab'.repeat(16)
  const first = await invoke({
    httpMethod: 'GET',
    resource: '/images/{id}',
    path: '/images/7',
    headers: { Traceparent: `00-${trace}-${'cd'.repeat(8)}-01` },
  })
  expect(first).toEqual({ number: 1, answer: { statusCode: 200, body: trace } })
  // Nothing more can leave a frozen process: what is here now is all there is.
  const server = only(await sink.until((spans) => spans.length >= 2), 'GET /images/{id}')
  expect(server).toMatchObject({ kind: 2, traceId: trace, parentSpanId: 'cd'.repeat(8), status: { code: 0 } })
  expect(only(sink.spans, 'inside').parentSpanId).toBe(server.spanId)
  expect(attributesOf(server)).toEqual({
    'http.request.method': 'GET',
    'http.route': '/images/{id}',
    'http.response.status_code': 200,
    'url.path': '/images/7',
    'faas.trigger': 'http',
    'faas.coldstart': true,
    'faas.invocation.id': 'request-1',
    'cloud.resource_id': 'arn:aws:lambda:eu-west-1:123456789012:function:resize',
    'cloud.account.id': '123456789012',
    'hotspan.faas.init_time': expect.any(Number),
  })
  expect(attributesOf(server.resource)).toMatchObject({
    'service.name': 'resize',
    'faas.name': 'resize',
    'cloud.platform': 'aws_lambda',
  })
  await invoke({ Records: [{ eventSource: 'aws:sqs' }] })
  const second = only(await sink.until((spans) => spans.length >= 4), 'resize')
  expect(attributesOf(second)).toMatchObject({
    'faas.trigger': 'pubsub',
    'faas.coldstart': false,
    'faas.invocation.id': 'request-2',
  })
  expect(attributesOf(second)).not.toHaveProperty('hotspan.faas.init_time')
})

test('a failure is recorded and stays the failure that it was', async () => {
  start()
  expect(await invoke({ fail: true })).toEqual({ number: 1, error: 'the function fails' })
  const span = only(await sink.until((spans) => spans.length >= 2), 'resize')
  expect(span.status).toEqual({ code: 2, message: 'the function fails' })
  expect(span.events).toMatchObject([{ name: 'exception' }])
  expect(attributesOf(span)).toMatchObject({ 'error.type': 'TypeError' })
})

test.each([
  ['callback', { statusCode: 503, body: expect.any(String) }],
  ['streaming', expect.stringMatching(/^resize [0-9a-f]{32}$/)],
])('a handler with a %s', async (form, answer) => {
  start({ HANDLER: form })
  expect(await invoke({ status: 503 })).toEqual({ number: 1, answer })
  const span = only(await sink.until((spans) => spans.length >= 2), 'resize')
  expect(span.status.code).toBe(form === 'callback' ? 2 : 0)
  expect(only(sink.spans, 'inside').parentSpanId).toBe(span.spanId)
})

test('an invocation that nears its limit is sent before it is cut off', async () => {
  start()
  child.stdin!.write(`${JSON.stringify({ waitMs: 600_000, limitMs: 1000 })}\n`)
  const span = only(await sink.until((spans) => spans.some(({ name }) => name === 'resize')), 'resize')
  expect(span.status.code).toBe(2)
  expect(attributesOf(span)).toMatchObject({ 'error.type': 'timeout' })
})

test('an endpoint that hangs takes no more of the invocation than it has left', async () => {
  start({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' })
  expect(await invoke({ limitMs: 1500 })).toMatchObject({ number: 1, answer: { statusCode: 200 } })
})

test('X-Ray gives the parent when it is asked to', async () => {
  start({
    OTEL_PROPAGATORS: 'xray',
    _X_AMZN_TRACE_ID: `Root=1-${'12'.repeat(4)}-${'34'.repeat(12)};Parent=${'56'.repeat(8)};Sampled=1`,
  })
  await invoke({})
  const span = only(await sink.until((spans) => spans.length >= 2), 'resize')
  expect(span).toMatchObject({ traceId: '12'.repeat(4) + '34'.repeat(12), parentSpanId: '56'.repeat(8) })
})

test('switched off, the handler is the app alone', async () => {
  start({ HOTSPAN_DISABLED: '1', HANDLER: 'streaming' })
  expect(await invoke({})).toEqual({ number: 1, answer: 'resize untraced' })
  expect(sink.spans).toEqual([])
})

test.each([
  [
    {
      version: '2.0',
      routeKey: 'POST /a/{b}',
      rawPath: '/a/1',
      requestContext: { http: { method: 'POST' } },
    },
    'POST /a/{b}',
    'http',
  ],
  [
    { version: '2.0', routeKey: '$default', rawPath: '/a', requestContext: { http: { method: 'PUT' } } },
    'PUT',
    'http',
  ],
  [{ httpMethod: 'GET', path: '/x', requestContext: { elb: {} } }, 'GET', 'http'],
  [{ Records: [{ EventSource: 'aws:sns' }] }, undefined, 'pubsub'],
  [{ Records: [{ eventSource: 'aws:s3' }] }, undefined, 'datasource'],
  [{ source: 'aws.events' }, undefined, 'timer'],
  [{ Records: [] }, undefined, 'other'],
  ['text', undefined, 'other'],
  [null, undefined, 'other'],
])('trigger of %j', (event, spanName, kind) => {
  expect(triggerOf(event)).toMatchObject({ kind, spanName })
})
