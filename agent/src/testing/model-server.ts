import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ModelServer {
  /** Base URL for a client, with `/v1`. */
  readonly url: string
  readonly port: number
  /** Requests so far, as `METHOD path`, with their `traceparent`. */
  readonly requests: { readonly line: string; readonly traceparent: string | undefined }[]
  close(): Promise<void>
}

type Fields = Record<string, unknown>

const usage = {
  prompt_tokens: 11,
  completion_tokens: 3,
  total_tokens: 14,
  prompt_tokens_details: { cached_tokens: 8 },
  completion_tokens_details: { reasoning_tokens: 1 },
}

/** Speaks OpenAI's protocol: what a model says is always the same, and its name chooses what goes wrong. */
export async function startModelServer(): Promise<ModelServer> {
  const requests: ModelServer['requests'] = []
  let refused = 0
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (part) => {
      text += part
    })
    request.on('end', () => {
      requests.push({
        line: `${request.method} ${request.url}`,
        traceparent: request.headers.traceparent as string | undefined,
      })
      const body = JSON.parse(text) as Fields
      const answer = (status: number, value: unknown): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      }
      if (body.model === 'unknown')
        return answer(404, { error: { message: 'no such model', code: 'model_not_found' } })
      if (body.model === 'busy-once' && refused++ === 0) {
        response.setHeader('retry-after-ms', '1')
        return answer(429, { error: { message: 'slow down', code: 'rate_limit_exceeded' } })
      }
      const model = `${body.model}-2026`
      switch (request.url) {
        case '/v1/chat/completions':
          if (body.stream === true) return stream(chatChunks(model, body), body.model === 'breaks')
          return answer(200, {
            id: 'chatcmpl-1',
            object: 'chat.completion',
            created: 1,
            model,
            choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'secret' } }],
            usage,
          })
        case '/v1/responses': {
          const whole = { id: 'resp-1', object: 'response', model, output: [], status: 'completed' }
          const used = { input_tokens: 11, output_tokens: 3, input_tokens_details: { cached_tokens: 8 } }
          if (body.stream !== true) return answer(200, { ...whole, usage: used })
          return stream(
            [
              { type: 'response.created', response: { ...whole, status: 'in_progress' } },
              { type: 'response.output_text.delta', delta: 'secret' },
              { type: 'response.completed', response: { ...whole, usage: used } },
            ],
            false,
          )
        }
        case '/v1/embeddings':
          return answer(200, {
            object: 'list',
            model,
            data: [{ object: 'embedding', index: 0, embedding: [0.5, 1] }],
            usage: { prompt_tokens: 4, total_tokens: 4 },
          })
        default:
          return answer(404, { error: { message: 'no such path' } })
      }
    })
    /** Server-sent events; one that breaks closes the connection after the first. */
    function stream(events: readonly Fields[], breaks: boolean): void {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const write = (i: number): void => {
        if (breaks && i === 1) {
          response.destroy()
          return
        }
        const event = events[i]
        if (event === undefined) {
          response.end('data: [DONE]\n\n')
          return
        }
        const name = typeof event.type === 'string' ? `event: ${event.type}\n` : ''
        response.write(`${name}data: ${JSON.stringify(event)}\n\n`, () => setImmediate(write, i + 1))
      }
      write(0)
    }
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function chatChunks(model: string, body: Fields): Fields[] {
  const chunk = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model }
  const includesUsage =
    (body.stream_options as { include_usage?: boolean } | undefined)?.include_usage === true
  return [
    { ...chunk, choices: [{ index: 0, delta: { role: 'assistant', content: 'se' }, finish_reason: null }] },
    { ...chunk, choices: [{ index: 0, delta: { content: 'cret' }, finish_reason: null }] },
    { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    ...(includesUsage ? [{ ...chunk, choices: [], usage }] : []),
  ]
}
