import type { Store } from '../store.ts'
import { inScope, type QueryBounds, runQuery, type Scope, scopeParameters } from './run-query.ts'

/** A key that spans of the scope carry. */
export interface AttributeKey {
  readonly key: string
  readonly of: 'span' | 'resource'
  readonly spans: number
}

export interface AttributeKeysArgs {
  readonly service?: string
  /** Rows, most frequent first. Default 500. */
  readonly limit?: number
}

/** Keys of attributes in the scope. Spans that a sender sent twice may count twice. */
export async function attributeKeys(
  store: Store,
  scope: Scope,
  args: AttributeKeysArgs = {},
  bounds: QueryBounds = {},
): Promise<AttributeKey[]> {
  const where = `${inScope}${args.service === undefined ? '' : ' AND ServiceName = {service:String}'}`
  const keys = (of: string, column: string) =>
    `SELECT arrayJoin(mapKeys(${column})) AS key, '${of}' AS of, toFloat64(count()) AS spans FROM otel_traces WHERE ${where} GROUP BY key`
  return runQuery<AttributeKey>(
    store,
    `SELECT key, of, spans FROM (${keys('span', 'SpanAttributes')} UNION ALL ${keys('resource', 'ResourceAttributes')})
ORDER BY spans DESC, key, of LIMIT {limit:UInt32}`,
    { ...scopeParameters(scope), service: args.service ?? '', limit: args.limit ?? 500 },
    bounds,
  )
}

/** A value of one key. */
export interface AttributeValue {
  readonly value: string
  readonly spans: number
}

export interface AttributeValuesArgs {
  readonly key: string
  readonly of: 'span' | 'resource'
  readonly service?: string
  /** What the value begins with. */
  readonly startsWith?: string
  /** Rows, most frequent first. Default 100. */
  readonly limit?: number
}

/** Values of one attribute in the scope, most frequent first. Of keys with very many values the counts are estimates. */
export async function attributeValues(
  store: Store,
  scope: Scope,
  args: AttributeValuesArgs,
  bounds: QueryBounds = {},
): Promise<AttributeValue[]> {
  const map = args.of === 'span' ? 'SpanAttributes' : 'ResourceAttributes'
  const conditions = [inScope, `mapContains(${map}, {key:String})`]
  if (args.service !== undefined) conditions.push('ServiceName = {service:String}')
  if (args.startsWith !== undefined) conditions.push(`startsWith(${map}[{key:String}], {startsWith:String})`)
  const limit = Math.min(Math.max(Math.floor(args.limit ?? 100), 1), 1000)
  return runQuery<AttributeValue>(
    store,
    `SELECT tupleElement(top, 1) AS value, toFloat64(tupleElement(top, 2)) AS spans FROM (
  SELECT arrayJoin(topK(${limit}, 10, 'counts')(${map}[{key:String}])) AS top FROM otel_traces WHERE ${conditions.join(' AND ')}
) ORDER BY spans DESC, value`,
    {
      ...scopeParameters(scope),
      key: args.key,
      service: args.service ?? '',
      startsWith: args.startsWith ?? '',
    },
    bounds,
  )
}
