import { hotColumns } from '../schema/hot-columns.ts'

/** One condition on an attribute, as a person types it. */
export interface AttributeCondition {
  readonly key: string
  /** Default span, then resource: the span's own value counts when it has one. */
  readonly of?: 'span' | 'resource'
  /** `contains` ignores case; `>` and `<` compare numbers and leave out what is none. */
  readonly is: '=' | '!=' | 'exists' | 'missing' | 'contains' | '>' | '<'
  /** Not read for `exists` and `missing`. */
  readonly value?: string
}

/** Attributes that have a column of their own: reading it costs a fraction of reading the map. */
const columnOfKey: ReadonlyMap<string, string> = new Map([
  ['http.route', 'HttpRoute'],
  ['http.request.method', 'HttpMethod'],
  ['http.response.status_code', 'toString(HttpStatusCode)'],
  ['db.system.name', 'DbSystem'],
  ['db.query.summary', 'DbSummary'],
  ['session.id', 'SessionId'],
])

/** Names of hot columns that `columnOfKey` may use; a test holds both together. */
export const mappedColumns: readonly string[] = [...columnOfKey.values()].map(
  (sql) => hotColumns.find(({ name }) => sql.includes(name))?.name ?? '',
)

/** SQL of the conditions, joined by AND, and their parameters. Keys and values only ever travel as parameters. */
export function attributeSql(conditions: readonly AttributeCondition[]): {
  sql: string
  parameters: Record<string, string | number>
} {
  const parameters: Record<string, string | number> = {}
  const parts = conditions.map((condition, i) => {
    parameters[`key${i}`] = condition.key
    parameters[`value${i}`] = condition.value ?? ''
    return `(${conditionSql(condition, `{key${i}:String}`, `{value${i}:String}`)})`
  })
  return { sql: parts.length === 0 ? '1' : parts.join(' AND '), parameters }
}

function conditionSql(condition: AttributeCondition, key: string, value: string): string {
  const text = textOf(condition, key)
  switch (condition.is) {
    case 'exists':
      return presence(condition, key)
    case 'missing':
      return `NOT (${presence(condition, key)})`
    case 'contains':
      return `positionCaseInsensitiveUTF8(${text}, ${value}) > 0`
    case '>':
    case '<':
      return `toFloat64OrNull(${text}) ${condition.is} toFloat64OrNull(${value})`
    default:
      return `${text} ${condition.is} ${value}`
  }
}

function textOf({ key: name, of }: AttributeCondition, key: string): string {
  if (of === 'resource') return `ResourceAttributes[${key}]`
  const column = columnOfKey.get(name)
  if (column !== undefined && of === undefined)
    return column === 'toString(HttpStatusCode)' ? statusText : column
  if (of === 'span') return `SpanAttributes[${key}]`
  return `if(mapContains(SpanAttributes, ${key}), SpanAttributes[${key}], ResourceAttributes[${key}])`
}

// 0 stands for "none" in the column.
const statusText = "if(HttpStatusCode = 0, '', toString(HttpStatusCode))"

function presence({ of }: AttributeCondition, key: string): string {
  const span = `mapContains(SpanAttributes, ${key})`
  const resource = `mapContains(ResourceAttributes, ${key})`
  return of === 'span' ? span : of === 'resource' ? resource : `${span} OR ${resource}`
}
