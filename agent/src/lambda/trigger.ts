import { attr } from '@hotspan/otlp'
import type { Attributes } from '@opentelemetry/api'

/** What an event says about who called: enough of API Gateway's two payloads, function URLs, load balancers and queues. */
export interface LambdaEvent {
  readonly httpMethod?: string
  readonly path?: string
  readonly resource?: string
  readonly rawPath?: string
  readonly routeKey?: string
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly requestContext?: {
    readonly http?: { readonly method?: string; readonly path?: string }
    readonly elb?: unknown
  }
  readonly Records?: readonly { readonly eventSource?: string; readonly EventSource?: string }[]
  readonly source?: string
}

export interface Trigger {
  /** `faas.trigger`. */
  readonly kind: 'http' | 'pubsub' | 'datasource' | 'timer' | 'other'
  /** `GET /items/{id}`; undefined leaves the function's name. */
  readonly spanName: string | undefined
  readonly attributes: Attributes
  /** In lower case. */
  readonly headers: Readonly<Record<string, string>>
}

const DATA_SOURCES = /^aws:(s3|dynamodb|kinesis)$/
const QUEUES = /^aws:(sqs|sns|kafka)$|^aws:mq$|Kafka$/

export function triggerOf(event: unknown): Trigger {
  if (typeof event !== 'object' || event === null) return other('other')
  const { httpMethod, path, resource, rawPath, routeKey, headers, requestContext, Records, source } =
    event as LambdaEvent
  const method = httpMethod ?? requestContext?.http?.method
  if (typeof method === 'string') {
    const given = rawPath ?? path ?? requestContext?.http?.path
    const route = routeOf(resource, routeKey)
    const attributes: Attributes = { [attr.httpRequestMethod]: method }
    if (given !== undefined) attributes[attr.urlPath] = given
    if (route !== undefined) attributes[attr.httpRoute] = route
    const spanName = route === undefined ? method : `${method} ${route}`
    return { kind: 'http', spanName, attributes, headers: lowerKeys(headers) }
  }
  const origin = Records?.[0]?.eventSource ?? Records?.[0]?.EventSource
  if (origin !== undefined) {
    return other(DATA_SOURCES.test(origin) ? 'datasource' : QUEUES.test(origin) ? 'pubsub' : 'other')
  }
  return other(source === 'aws.events' || source === 'aws.scheduler' ? 'timer' : 'other')
}

const other = (kind: Trigger['kind']): Trigger => ({
  kind,
  spanName: undefined,
  attributes: {},
  headers: {},
})

/** `/items/{id}` (REST) or `GET /items/{id}` (HTTP); catch-alls tell nothing. */
function routeOf(resource: string | undefined, routeKey: string | undefined): string | undefined {
  if (routeKey !== undefined && routeKey !== '$default') return routeKey.replace(/^[A-Z]+ /, '')
  return resource
}

const lowerKeys = (headers: LambdaEvent['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers ?? {}).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name.toLowerCase(), value]] : [],
    ),
  )
