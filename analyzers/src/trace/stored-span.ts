/** One stored span as the tree algorithms read it; the row type of `@hotspan/collector`. */
export interface StoredSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly traceState: string
  readonly name: string
  readonly kind: 'server' | 'client' | 'internal' | 'producer' | 'consumer' | 'unspecified'
  readonly service: string
  readonly startNs: bigint
  readonly durationNs: number
  readonly statusCode: 'unset' | 'ok' | 'error'
  readonly attributes: Readonly<Record<string, string>>
  readonly resource: Readonly<Record<string, string>>
  readonly scopeName: string
  readonly events: readonly {
    readonly timeNs: bigint
    readonly name: string
    readonly attributes: Readonly<Record<string, string>>
  }[]
  readonly links: readonly {
    readonly traceId: string
    readonly spanId: string
    readonly attributes: Readonly<Record<string, string>>
  }[]
  readonly weight: number
  readonly weightKnown: boolean
}
