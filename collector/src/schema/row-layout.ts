/** Tables that the receiver fills, by their number in journal frames. */
export const RowTable = {
  Traces: 1,
  Logs: 2,
  Gauges: 3,
  Sums: 4,
  Histograms: 5,
  ExponentialHistograms: 6,
  Summaries: 7,
  Profiles: 8,
  ProfileFunctions: 9,
} as const
export type RowTable = (typeof RowTable)[keyof typeof RowTable]

export interface RowLayout {
  readonly table: string
  /** In the order in which a RowBinary row holds them. */
  readonly columns: readonly string[]
}

const metricIdentity = [
  'ResourceAttributes',
  'ResourceSchemaUrl',
  'ScopeName',
  'ScopeVersion',
  'ScopeAttributes',
  'ScopeDroppedAttrCount',
  'ScopeSchemaUrl',
  'ServiceName',
  'MetricName',
  'MetricDescription',
  'MetricUnit',
  'Attributes',
  'StartTimeUnix',
  'TimeUnix',
]
const exemplars = ['FilteredAttributes', 'TimeUnix', 'Value', 'SpanId', 'TraceId'].map(
  (name) => `Exemplars.${name}`,
)
const known = ['SumKnown', 'MinKnown', 'MaxKnown']

/**
 * Layout 1 of the rows in journal frames. A frame names its layout, so a journal that an older version left behind is inserted
 * as it was written. A change of a table's columns is a new number, not an edit; a new table is a new line.
 */
const layout1: Readonly<Record<RowTable, RowLayout>> = {
  [RowTable.Traces]: {
    table: 'otel_traces',
    columns: [
      'Timestamp',
      'TraceId',
      'SpanId',
      'ParentSpanId',
      'TraceState',
      'SpanName',
      'SpanKind',
      'ServiceName',
      'ResourceAttributes',
      'ScopeName',
      'ScopeVersion',
      'SpanAttributes',
      'Duration',
      'StatusCode',
      'StatusMessage',
      'Events.Timestamp',
      'Events.Name',
      'Events.Attributes',
      'Links.TraceId',
      'Links.SpanId',
      'Links.TraceState',
      'Links.Attributes',
    ],
  },
  [RowTable.Logs]: {
    table: 'otel_logs',
    columns: [
      'Timestamp',
      'TraceId',
      'SpanId',
      'TraceFlags',
      'SeverityText',
      'SeverityNumber',
      'ServiceName',
      'Body',
      'ResourceSchemaUrl',
      'ResourceAttributes',
      'ScopeSchemaUrl',
      'ScopeName',
      'ScopeVersion',
      'ScopeAttributes',
      'LogAttributes',
      'EventName',
    ],
  },
  [RowTable.Gauges]: {
    table: 'otel_metrics_gauge',
    columns: [...metricIdentity, 'Value', 'Flags', ...exemplars],
  },
  [RowTable.Sums]: {
    table: 'otel_metrics_sum',
    columns: [...metricIdentity, 'Value', 'Flags', ...exemplars, 'AggregationTemporality', 'IsMonotonic'],
  },
  [RowTable.Histograms]: {
    table: 'otel_metrics_histogram',
    columns: [
      ...metricIdentity,
      'Count',
      'Sum',
      'BucketCounts',
      'ExplicitBounds',
      ...exemplars,
      'Flags',
      'Min',
      'Max',
      'AggregationTemporality',
      ...known,
    ],
  },
  [RowTable.ExponentialHistograms]: {
    table: 'otel_metrics_exponential_histogram',
    columns: [
      ...metricIdentity,
      'Count',
      'Sum',
      'Scale',
      'ZeroCount',
      'PositiveOffset',
      'PositiveBucketCounts',
      'NegativeOffset',
      'NegativeBucketCounts',
      ...exemplars,
      'Flags',
      'Min',
      'Max',
      'AggregationTemporality',
      ...known,
      'ZeroThreshold',
    ],
  },
  [RowTable.Summaries]: {
    table: 'otel_metrics_summary',
    columns: [
      ...metricIdentity,
      'Count',
      'Sum',
      'ValueAtQuantiles.Quantile',
      'ValueAtQuantiles.Value',
      'Flags',
    ],
  },
  [RowTable.Profiles]: {
    table: 'hotspan_profiles',
    columns: [
      'Timestamp',
      'ProfileId',
      'Duration',
      'ServiceName',
      'ResourceSchemaUrl',
      'ResourceAttributes',
      'ScopeSchemaUrl',
      'ScopeName',
      'ScopeVersion',
      'ScopeAttributes',
      'ProfileAttributes',
      'DroppedAttributesCount',
      'SampleType',
      'SampleUnit',
      'PeriodType',
      'PeriodUnit',
      'Period',
      'SampleCount',
      'Total',
      'Format',
      'Payload',
    ],
  },
  [RowTable.ProfileFunctions]: {
    table: 'hotspan_profile_functions',
    columns: [
      'Timestamp',
      'ProfileId',
      'ServiceName',
      'SampleType',
      'SampleUnit',
      'FunctionName',
      'FileName',
      'StartLine',
      'Route',
      'TraceId',
      'SpanId',
      'Self',
      'Total',
    ],
  },
}

/** Tables of metrics: one body may fill all of them. */
export const metricTableNumbers: readonly RowTable[] = [
  RowTable.Gauges,
  RowTable.Sums,
  RowTable.Histograms,
  RowTable.ExponentialHistograms,
  RowTable.Summaries,
]

/** Tables of profiles: one body fills both. */
export const profileTableNumbers: readonly RowTable[] = [RowTable.Profiles, RowTable.ProfileFunctions]

export const currentLayout = 1

const layouts: ReadonlyMap<number, Readonly<Record<RowTable, RowLayout>>> = new Map([
  [currentLayout, layout1],
])

/** null for a layout or table of a later version. */
export function rowLayout(layout: number, table: number): RowLayout | null {
  return layouts.get(layout)?.[table as RowTable] ?? null
}
