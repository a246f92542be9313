import type { Attributes, HrTime, Link, SpanContext, SpanStatus } from '@opentelemetry/api'

/** Resource of the stock SDK, the part that is read here. */
export interface StockResource {
  readonly attributes: Readonly<Record<string, unknown>>
  readonly asyncAttributesPending?: boolean | undefined
  waitForAsyncAttributes?(): Promise<void>
}

/**
 * `ReadableSpan` of `@opentelemetry/sdk-trace`, as versions 1 to 3 of the stock SDK have it. Spelled out here, so that this
 * package depends on none of them.
 */
export interface ReadableSpan {
  readonly name: string
  readonly kind: number
  readonly spanContext: () => SpanContext
  readonly parentSpanContext?: SpanContext
  readonly startTime: HrTime
  readonly endTime: HrTime
  readonly duration: HrTime
  readonly status: SpanStatus
  readonly attributes: Attributes
  readonly links: (Link & { droppedAttributesCount?: number })[]
  readonly events: {
    time: HrTime
    name: string
    attributes?: Attributes
    droppedAttributesCount?: number
  }[]
  readonly ended: boolean
  // biome-ignore lint/suspicious/noExplicitAny: the SDK's own class, which differs between its versions
  readonly resource: any
  readonly instrumentationScope: {
    readonly name: string
    readonly version?: string
    readonly schemaUrl?: string
  }
  readonly droppedAttributesCount: number
  readonly droppedEventsCount: number
  readonly droppedLinksCount: number
}

/** `SpanProcessor` of the stock SDK. */
export interface SpanProcessor {
  onStart(span: unknown, parentContext: unknown): void
  onEnd(span: ReadableSpan): void
  forceFlush(): Promise<void>
  shutdown(): Promise<void>
}
