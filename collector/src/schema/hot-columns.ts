import { attr, sqlCoalesce } from '@hotspan/otlp'

/**
 * Attributes that queries group and filter by, as MATERIALIZED columns: reading a map decodes all of it (3.8x the
 * CPU on statements, measured). A stock exporter can still insert, because it never names them. Old attribute names are mapped by the one
 * dialect table.
 */
const sampling = "extract(TraceState, '(?:^|,)[ \\\\t]*ot=(?:[^,]*;)?th:([0-9a-f]{1,14})(?:[;, \\\\t]|$)')"

export const hotColumns: readonly { readonly name: string; readonly type: string; readonly sql: string }[] = [
  { name: 'HttpRoute', type: 'LowCardinality(String)', sql: sqlCoalesce(attr.httpRoute) },
  { name: 'HttpMethod', type: 'LowCardinality(String)', sql: sqlCoalesce(attr.httpRequestMethod) },
  {
    name: 'HttpStatusCode',
    type: 'UInt16',
    sql: `toUInt16OrZero(${sqlCoalesce(attr.httpResponseStatusCode)})`,
  },
  { name: 'DbSystem', type: 'LowCardinality(String)', sql: sqlCoalesce(attr.dbSystemName) },
  {
    name: 'DbStatement',
    type: 'LowCardinality(String)',
    sql: `normalizeQuery(${sqlCoalesce(attr.dbQueryText)})`,
  },
  { name: 'DbSummary', type: 'LowCardinality(String)', sql: sqlCoalesce(attr.dbQuerySummary) },
  {
    name: 'ServiceVersion',
    type: 'LowCardinality(String)',
    sql: sqlCoalesce(attr.serviceVersion, 'resource'),
  },
  {
    name: 'SessionId',
    type: 'String',
    sql: "if(SpanAttributes['session.id'] != '', SpanAttributes['session.id'], ResourceAttributes['session.id'])",
  },
  // The threshold T is 56 bits, written as hex without trailing zeros; a span stands for 2^56 / (2^56 - T) spans.
  {
    name: 'SampleWeight',
    type: 'Float64',
    sql: `if(${sampling} = '', 1., 72057594037927936. / (72057594037927936. - reinterpretAsUInt64(reverse(unhex(rightPad(${sampling}, 14, '0'))))))`,
  },
  { name: 'WeightKnown', type: 'UInt8', sql: `${sampling} != ''` },
]
