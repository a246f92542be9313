import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { encodeExportResponse } from '@hotspan/otlp'
import { afterEach, describe, expect, test } from 'vitest'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { runtime } from '../core/runtime.ts'
import { AgentSpan } from '../core/span.ts'
import { Trace } from '../core/trace.ts'
import type { Endpoint } from './post.ts'
import { backoffMs, isRetryable, retryAfterMs } from './retry.ts'
import { createSender, type Sender } from './sender.ts'
import { SpanQueue } from './span-queue.ts'

type Answer = (response: ServerResponse, request: IncomingMessage, nth: number) => void

const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
  runtime.ended = () => {}
})

/** A server that answers as it is told, after it has read the body. */
async function startEndpoint(
  answer: Answer,
): Promise<{ url: string; bodies: Buffer[]; sockets: Set<unknown> }> {
  const bodies: Buffer[] = []
  const sockets = new Set<unknown>()
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    sockets.add(request.socket)
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      bodies.push(Buffer.concat(parts))
      answer(response, request, bodies.length)
    })
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  closing.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(() => resolve()))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`, bodies, sockets }
}

function startSender(
  url: string,
  options: Partial<Endpoint> = {},
  maxBytes = 8e6,
): { queue: SpanQueue; sender: Sender; lines: string[] } {
  const lines: string[] = []
  const queue: SpanQueue = new SpanQueue(
    new Uint8Array([0x0a, 0]),
    { maxBytes, maxSpans: 100_000, batchSpans: 100_000 },
    (full) => sender.wake(full),
  )
  queue.scopeIndex('test', '')
  runtime.ended = (span) => queue.add(span)
  const sender = createSender(
    () => queue,
    { url: new URL(url), headers: { 'x-token': 'secret' }, timeoutMs: 10_000, gzip: false, ...options },
    60_000,
    (line) => lines.push(line),
  )
  closing.push(() => sender.close())
  return { queue, sender, lines }
}

function makeSpans(count: number): void {
  const trace = new Trace(1, 2, 3, 4, true, 1, '', { sec: 1_790_000_000, ns: 0 })
  for (let i = 0; i < count; i++) {
    new AgentSpan(trace, 5, i + 1, 0, 0, false, false, 0, 0, `span ${i}`, i, EMPTY_CONTEXT).endAt(i, i)
  }
}

const whole = (queue: SpanQueue): void => {
  const { made, sent, failed, dropped, queued } = queue.counts
  expect(sent + failed + dropped + queued).toBe(made)
}

describe('the sender', () => {
  test('one kept connection carries all batches, with the headers asked for', async () => {
    const headers: IncomingMessage['headers'][] = []
    const endpoint = await startEndpoint((response, request) => {
      headers.push(request.headers)
      response.end()
    })
    const { queue, sender } = startSender(endpoint.url)
    for (let i = 0; i < 5; i++) {
      makeSpans(10)
      await sender.flush(5000)
    }
    expect(queue.counts).toEqual({ made: 50, sent: 50, failed: 0, dropped: 0, queued: 0 })
    expect(endpoint.sockets.size).toBe(1)
    expect(headers[0]).toMatchObject({ 'x-token': 'secret', 'content-type': 'application/x-protobuf' })
    expect(headers[0]).not.toHaveProperty('traceparent')
  })

  test.each([429, 502, 503, 504])('status %i is tried again', async (status) => {
    const endpoint = await startEndpoint((response, _request, nth) => {
      if (nth === 1) response.writeHead(status, { 'retry-after': '0' }).end()
      else response.end()
    })
    const { queue, sender } = startSender(endpoint.url)
    makeSpans(3)
    await sender.flush(10_000)
    expect(endpoint.bodies).toHaveLength(2)
    expect(endpoint.bodies[1]).toEqual(endpoint.bodies[0])
    expect(queue.counts).toMatchObject({ sent: 3, failed: 0 })
  })

  test.each([400, 401, 404, 413, 500])('status %i is not: the spans have failed', async (status) => {
    const endpoint = await startEndpoint((response) => response.writeHead(status).end('no'))
    const { queue, sender, lines } = startSender(endpoint.url)
    makeSpans(3)
    await sender.flush(10_000)
    expect(endpoint.bodies).toHaveLength(1)
    expect(queue.counts).toMatchObject({ sent: 0, failed: 3, queued: 0 })
    expect(lines[0]).toContain(`status ${status}`)
  })

  test('a partial success counts what was rejected', async () => {
    const body = encodeExportResponse({ rejected: 2, errorMessage: 'too old' })
    const endpoint = await startEndpoint((response) => response.end(body))
    const { queue, sender, lines } = startSender(endpoint.url)
    makeSpans(5)
    await sender.flush(5000)
    expect(queue.counts).toMatchObject({ sent: 3, failed: 2 })
    expect(lines[0]).toContain('too old')
  })

  test('an answer of garbage with status 200 is an answer', async () => {
    const endpoint = await startEndpoint((response) => response.end(Buffer.alloc(200_000, 0xff)))
    const { queue, sender } = startSender(endpoint.url)
    makeSpans(5)
    await sender.flush(5000)
    expect(queue.counts).toMatchObject({ sent: 5, failed: 0 })
  })

  test('an endpoint that hangs up in the middle, then works', async () => {
    const endpoint = await startEndpoint((response, request, nth) => {
      if (nth === 1) request.socket.destroy()
      else response.end()
    })
    const { queue, sender } = startSender(endpoint.url)
    makeSpans(2)
    await sender.flush(10_000)
    expect(queue.counts).toMatchObject({ sent: 2, failed: 0 })
  })

  test('a slow endpoint is given up after the time limit and tried again', async () => {
    const endpoint = await startEndpoint((response, _request, nth) => {
      if (nth > 1) response.end()
    })
    const { queue, sender } = startSender(endpoint.url, { timeoutMs: 50 })
    makeSpans(2)
    await sender.flush(10_000)
    expect(endpoint.bodies).toHaveLength(2)
    expect(queue.counts).toMatchObject({ sent: 2, failed: 0 })
  })

  test('down: the queue stays bounded, every span is counted, and nothing is thrown', async () => {
    const endpoint = await startEndpoint((response) => response.end())
    await closing.pop()!()
    const { queue, sender } = startSender(endpoint.url, {}, 200_000)
    for (let round = 0; round < 20; round++) {
      makeSpans(500)
      sender.wake(true)
      await new Promise((resolve) => setImmediate(resolve))
      whole(queue)
    }
    expect(queue.counts.dropped).toBeGreaterThan(0)
    await sender.flush(50)
    whole(queue)
    sender.close()
    await sender.flush(1000)
    whole(queue)
    expect(queue.counts.sent).toBe(0)
  })

  test('gzip when asked', async () => {
    let encoding: string | undefined
    const endpoint = await startEndpoint((response, request) => {
      encoding = request.headers['content-encoding']
      response.end()
    })
    const { queue, sender } = startSender(endpoint.url, { gzip: true })
    makeSpans(200)
    await sender.flush(5000)
    expect(encoding).toBe('gzip')
    expect(endpoint.bodies[0]!.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]))
    expect(queue.counts.sent).toBe(200)
  })
})

test('the wait between attempts grows, with jitter, up to its bound', () => {
  expect([1, 2, 3, 4, 5, 6, 20].map((attempt) => backoffMs(attempt, () => 1))).toEqual([
    500, 1000, 2000, 4000, 8000, 8000, 8000,
  ])
  expect(backoffMs(1, () => 0)).toBe(250)
})

test('Retry-After in seconds and as a date', () => {
  const nowMs = Date.UTC(2026, 10, 21, 12, 0, 0)
  expect(retryAfterMs('3', nowMs)).toBe(3000)
  expect(retryAfterMs('Sat, 21 Nov 2026 12:00:05 GMT', nowMs)).toBe(5000)
  expect(retryAfterMs('99999', nowMs)).toBe(60_000)
  expect(retryAfterMs('soon', nowMs)).toBeUndefined()
  expect(retryAfterMs(undefined, nowMs)).toBeUndefined()
  expect([200, 400, 429, 500, 502, 503, 504].filter(isRetryable)).toEqual([429, 502, 503, 504])
})
