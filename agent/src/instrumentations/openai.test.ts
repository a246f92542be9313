import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ModelServer, startModelServer } from '../testing/model-server.ts'
import { attributesOf, byHand, only, type ReceivedSpan, type Sink, startSink } from '../testing/sink.ts'
import { startApp } from '../testing/test-app.ts'

let sink: Sink
let model: ModelServer

/** CLIENT spans only: a busy machine may add a stall of the event loop. */
const childrenOf = (spans: readonly ReceivedSpan[], { spanId }: ReceivedSpan): ReceivedSpan[] =>
  spans.filter(({ parentSpanId, kind }) => parentSpanId === spanId && kind === 3)

describe.each(['import', 'require'])('the openai package, loaded by %s', (LOADED_BY) => {
  let spans: readonly ReceivedSpan[]
  let printed: Record<string, unknown>

  beforeAll(async () => {
    ;[sink, model] = await Promise.all([startSink(), startModelServer()])
    const app = await startApp('openai-app.mjs', {
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      MODEL_URL: model.url,
      LOADED_BY,
    })
    printed = await app.printed(() => true)
    expect(await app.ended).toEqual({ code: 0, signal: null })
    expect(app.stderr()).not.toContain('[hotspan]')
    spans = sink.spans
  }, 60_000)
  afterAll(() => Promise.all([sink.close(), model.close()]))

  /** The model span under the app's own span of that name, and what it sent. */
  const callOf = (name: string): { span: ReceivedSpan; requests: ReceivedSpan[] } => {
    const children = childrenOf(spans, only(byHand(spans), name))
    expect(children).toHaveLength(1)
    return { span: children[0]!, requests: childrenOf(spans, children[0]!) }
  }

  test('what the app sees is what it sees without the agent', () => {
    expect(printed).toEqual({
      chat: 'secret',
      'chat stream': 'secret',
      'chat stream helper': 'secret',
      'chat parse': 'secret',
      breaks: expect.any(String),
      raw: 'secret',
      'with response': '200 secret',
      responses: 'resp-1',
      'responses stream': 'secret',
      embeddings: 2,
      retried: 'busy-once-2026',
      nothing: 'TypeError',
      unknown: 'NotFoundError',
    })
  })

  test('a chat completion: one span of the model, one request under it that carries the trace', () => {
    const { span, requests } = callOf('chat')
    expect(span).toMatchObject({ name: 'chat small', kind: 3, status: { code: 0 } })
    expect(attributesOf(span)).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'small',
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.max_tokens': 9,
      'gen_ai.request.stop_sequences': ['X'],
      'gen_ai.response.id': 'chatcmpl-1',
      'gen_ai.response.model': 'small-2026',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.input_tokens': 11,
      'gen_ai.usage.output_tokens': 3,
      'gen_ai.usage.cache_read.input_tokens': 8,
      'gen_ai.usage.reasoning.output_tokens': 1,
      'server.address': '127.0.0.1',
      'server.port': model.port,
    })
    expect(requests.map(({ name, kind }) => [name, kind])).toEqual([['POST', 3]])
    expect(model.requests[0]?.traceparent).toBe(`00-${span.traceId}-${requests[0]?.spanId}-01`)
  })

  test.each(['chat stream', 'responses stream'])(
    '%s: ends with the stream, tokens and first chunk',
    (name) => {
      const { span, requests } = callOf(name)
      const attributes = attributesOf(span)
      expect(attributes).toMatchObject({
        'gen_ai.request.stream': true,
        'gen_ai.response.model': 'small-2026',
        'gen_ai.usage.input_tokens': 11,
        'gen_ai.usage.output_tokens': 3,
        'gen_ai.usage.cache_read.input_tokens': 8,
      })
      const firstChunkSec = attributes['gen_ai.response.time_to_first_chunk'] as number
      expect(firstChunkSec).toBeGreaterThan(0)
      expect(firstChunkSec * 1e9).toBeLessThanOrEqual(
        Number(span.endTimeUnixNano - span.startTimeUnixNano) + 1e6,
      )
      expect(requests).toHaveLength(1)
    },
  )

  test.each([
    ['chat stream helper', 'chat small'],
    ['chat parse', 'chat small'],
    ['with response', 'chat small'],
    ['responses', 'chat small'],
    ['embeddings', 'embeddings small'],
  ])('%s: once', (name, spanName) => {
    const { span, requests } = callOf(name)
    expect(span.name).toBe(spanName)
    expect(span.status.code).toBe(0)
    expect(attributesOf(span)['gen_ai.response.model']).toBe('small-2026')
    expect(requests).toHaveLength(1)
  })

  test('a raw response: the span ends, its body is not ours', () => {
    expect(attributesOf(callOf('raw').span)).not.toHaveProperty('gen_ai.response.model')
  })

  test('streams that are broken off or break end their span', () => {
    const left = callOf('broken off').span
    expect(left.status.code).toBe(0)
    expect(attributesOf(left)['hotspan.ended_by']).toBe('abort')
    const broken = callOf('breaks').span
    expect(broken.status.code).toBe(2)
  })

  test('a retry is a second request of the same call', () => {
    const { span, requests } = callOf('retried')
    expect(span.status.code).toBe(0)
    expect(requests.map((request) => attributesOf(request)['http.response.status_code']).sort()).toEqual([
      200, 429,
    ])
  })

  test('a call that is none fails as it does without the agent', () => {
    const { span, requests } = callOf('nothing')
    expect([span.name, span.status.code, requests]).toEqual(['chat', 2, []])
  })

  test('an error of the provider, by its code', () => {
    const { span } = callOf('unknown')
    expect(span.status.code).toBe(2)
    expect(attributesOf(span)['error.type']).toBe('model_not_found')
  })

  test('nothing of what was said leaves the process', () => {
    const text = JSON.stringify(spans, (_key, value) => (typeof value === 'bigint' ? String(value) : value))
    expect(text).not.toContain('secret')
    expect(text).not.toContain('private')
  })
})
