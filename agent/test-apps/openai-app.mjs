// The openai package (ESM, or CommonJS with LOADED_BY=require) against the server at MODEL_URL: one span of its own around
// each call, so that the test knows which call it was.
import { createRequire } from 'node:module'
import { trace } from '@opentelemetry/api'

const { OpenAI } =
  process.env.LOADED_BY === 'require' ? createRequire(import.meta.url)('openai') : await import('openai')

const client = new OpenAI({ apiKey: 'test', baseURL: process.env.MODEL_URL, maxRetries: 1 })
const messages = [{ role: 'user', content: 'private question' }]

const calls = {
  async chat() {
    const answer = await client.chat.completions.create({
      model: 'small',
      messages,
      temperature: 0.5,
      max_tokens: 9,
      stop: 'X',
    })
    return answer.choices[0].message.content
  },
  async 'chat stream'() {
    const stream_options = { include_usage: true }
    const stream = await client.chat.completions.create({
      model: 'small',
      messages,
      stream: true,
      stream_options,
    })
    let text = ''
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    return text
  },
  async 'chat stream helper'() {
    return client.chat.completions.stream({ model: 'small', messages }).finalContent()
  },
  async 'chat parse'() {
    const answer = await client.chat.completions.parse({ model: 'small', messages })
    return answer.choices[0].message.content
  },
  async 'broken off'() {
    const stream = await client.chat.completions.create({ model: 'small', messages, stream: true })
    for await (const _chunk of stream) break
  },
  async breaks() {
    const stream = await client.chat.completions.create({ model: 'breaks', messages, stream: true })
    for await (const _chunk of stream);
  },
  async raw() {
    const answer = await client.chat.completions.create({ model: 'small', messages }).asResponse()
    return (await answer.json()).choices[0].message.content
  },
  async 'with response'() {
    const { data, response } = await client.chat.completions
      .create({ model: 'small', messages })
      .withResponse()
    return `${response.status} ${data.choices[0].message.content}`
  },
  async responses() {
    return (await client.responses.create({ model: 'small', input: 'private question' })).id
  },
  async 'responses stream'() {
    const stream = await client.responses.create({ model: 'small', input: 'private question', stream: true })
    let text = ''
    for await (const event of stream) text += event.delta ?? ''
    return text
  },
  async embeddings() {
    const answer = await client.embeddings.create({
      model: 'small',
      input: 'private',
      encoding_format: 'float',
    })
    return answer.data[0].embedding.length
  },
  retried: () => client.chat.completions.create({ model: 'busy-once', messages }).then(({ model }) => model),
  nothing: () => client.chat.completions.create(),
  unknown: () => client.chat.completions.create({ model: 'unknown', messages }),
}

const results = {}
for (const [name, call] of Object.entries(calls)) {
  await trace.getTracer('app').startActiveSpan(name, async (span) => {
    try {
      results[name] = await call()
    } catch (error) {
      results[name] = error.constructor.name
    }
    span.end()
  })
}
process.stdout.write(`${JSON.stringify(results)}\n`)
