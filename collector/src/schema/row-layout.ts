/** Tables that the receiver fills, by their number in journal frames. */
export const RowTable = { Traces: 1, Logs: 2 } as const
export type RowTable = (typeof RowTable)[keyof typeof RowTable]

export interface RowLayout {
  readonly table: string
  /** In the order in which a RowBinary row holds them. */
  readonly columns: readonly string[]
}

/**
 * Layout 1 of the rows in journal frames. A frame names its layout, so a journal that an older version left behind is inserted
 * as it was written. A change of columns is a new number, not an edit.
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
}

export const currentLayout = 1

const layouts: ReadonlyMap<number, Readonly<Record<RowTable, RowLayout>>> = new Map([
  [currentLayout, layout1],
])

/** null for a layout or table of a later version. */
export function rowLayout(layout: number, table: number): RowLayout | null {
  return layouts.get(layout)?.[table as RowTable] ?? null
}
