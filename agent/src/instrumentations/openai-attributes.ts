import { attr } from '@hotspan/otlp'
import { type AgentSpan, Status } from '../core/span.ts'

type Fields = Record<string, unknown>

/** Hosts that speak OpenAI's protocol, by the names of the convention; everybody else is named by `server.address`. */
const PROVIDERS: readonly (readonly [host: string, name: string])[] = [
  ['.openai.azure.com', 'azure.ai.openai'],
  ['.cognitiveservices.azure.com', 'azure.ai.openai'],
  ['.inference.ai.azure.com', 'azure.ai.inference'],
  ['api.anthropic.com', 'anthropic'],
  ['api.cohere.ai', 'cohere'],
  ['api.deepseek.com', 'deepseek'],
  ['api.groq.com', 'groq'],
  ['api.mistral.ai', 'mistral_ai'],
  ['api.perplexity.ai', 'perplexity'],
  ['api.x.ai', 'x_ai'],
  ['generativelanguage.googleapis.com', 'gcp.gemini'],
]

const targets = new Map<string, Fields>()

/** Provider and server of a base URL. */
function targetOf(baseUrl: string | undefined): Fields {
  const known = targets.get(baseUrl ?? '')
  if (known !== undefined) return known
  const target: Fields = { [attr.genAiProviderName]: 'openai' }
  if (baseUrl !== undefined && URL.canParse(baseUrl)) {
    const { hostname, port, protocol } = new URL(baseUrl)
    const provider = PROVIDERS.find(
      ([host]) => hostname === host || (host.startsWith('.') && hostname.endsWith(host)),
    )
    if (provider !== undefined) target[attr.genAiProviderName] = provider[1]
    target[attr.serverAddress] = hostname
    target[attr.serverPort] = Number(port) || (protocol === 'http:' ? 80 : 443)
  }
  if (targets.size < 64) targets.set(baseUrl ?? '', target)
  return target
}

const NUMBERS: readonly (readonly [field: string, attribute: string])[] = [
  ['max_completion_tokens', attr.genAiRequestMaxTokens],
  ['max_output_tokens', attr.genAiRequestMaxTokens],
  ['max_tokens', attr.genAiRequestMaxTokens],
  ['temperature', attr.genAiRequestTemperature],
  ['top_p', attr.genAiRequestTopP],
  ['frequency_penalty', attr.genAiRequestFrequencyPenalty],
  ['presence_penalty', attr.genAiRequestPresencePenalty],
  ['seed', attr.genAiRequestSeed],
  ['dimensions', attr.genAiEmbeddingsDimensionCount],
]

export function noteRequest(span: AgentSpan, request: Fields, baseUrl: string | undefined): void {
  const target = targetOf(baseUrl)
  for (const name of Object.keys(target)) span.setAttribute(name, target[name] as string)
  if (typeof request.model === 'string') span.setAttribute(attr.genAiRequestModel, request.model)
  for (const [field, attribute] of NUMBERS) {
    const value = request[field]
    if (typeof value === 'number') span.setAttribute(attribute, value)
  }
  if (typeof request.n === 'number' && request.n !== 1)
    span.setAttribute(attr.genAiRequestChoiceCount, request.n)
  if (request.stream === true) span.setAttribute(attr.genAiRequestStream, true)
  const { stop } = request
  if (typeof stop === 'string') span.setAttribute(attr.genAiRequestStopSequences, [stop])
  else if (Array.isArray(stop)) span.setAttribute(attr.genAiRequestStopSequences, stop.map(String))
  if (typeof request.encoding_format === 'string')
    span.setAttribute(attr.genAiRequestEncodingFormats, [request.encoding_format])
}

/** A whole answer, a chunk of one, or an event of a response's stream: whatever is in it. */
export function noteResult(span: AgentSpan, result: unknown): void {
  if (typeof result !== 'object' || result === null) return
  const { response } = result as { response?: unknown }
  // Events of the Responses API carry the response so far.
  const answer = (typeof response === 'object' && response !== null ? response : result) as Fields
  if (typeof answer.id === 'string' && answer.id !== '') span.setAttribute(attr.genAiResponseId, answer.id)
  if (typeof answer.model === 'string' && answer.model !== '')
    span.setAttribute(attr.genAiResponseModel, answer.model)
  if (Array.isArray(answer.choices)) {
    const reasons = answer.choices
      .map((choice: Fields | null) => choice?.finish_reason)
      .filter((reason) => typeof reason === 'string')
    if (reasons.length > 0) span.setAttribute(attr.genAiResponseFinishReasons, reasons)
  }
  if (typeof answer.usage === 'object' && answer.usage !== null) noteUsage(span, answer.usage as Fields)
  if (answer.status === 'failed') {
    const { code, message } = (answer.error ?? {}) as Fields
    span.setStatus({ code: Status.Error, message: String(message ?? '') })
    span.setAttribute(attr.errorType, String(code ?? 'failed'))
  }
}

/** Chat completions say prompt and completion tokens, the Responses API input and output tokens. */
function noteUsage(span: AgentSpan, usage: Fields): void {
  const inputDetails = (usage.prompt_tokens_details ?? usage.input_tokens_details) as
    | Fields
    | null
    | undefined
  const outputDetails = (usage.completion_tokens_details ?? usage.output_tokens_details) as
    | Fields
    | null
    | undefined
  const tokens: readonly (readonly [attribute: string, value: unknown])[] = [
    [attr.genAiUsageInputTokens, usage.prompt_tokens ?? usage.input_tokens],
    [attr.genAiUsageOutputTokens, usage.completion_tokens ?? usage.output_tokens],
    [attr.genAiUsageCacheReadInputTokens, inputDetails?.cached_tokens],
    [attr.genAiUsageReasoningOutputTokens, outputDetails?.reasoning_tokens],
  ]
  for (const [attribute, value] of tokens) if (typeof value === 'number') span.setAttribute(attribute, value)
}
