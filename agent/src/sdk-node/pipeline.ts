import { createLog } from '../log.ts'
import type { ResourceAttributes } from '../resource/attributes.ts'
import { encodeResource } from '../resource/resource.ts'
import type { QueueCounts } from '../send/batch.ts'
import { createSender } from '../send/sender.ts'
import { SpanQueue } from '../send/span-queue.ts'
import { type AgentOptions, readSettings } from '../settings.ts'
import { fromReadable } from './from-readable.ts'
import type { ReadableSpan, StockResource } from './readable-span.ts'

/** Our queue and sender behind a stock SDK. */
export interface Pipeline {
  readonly counts: QueueCounts
  add(span: ReadableSpan): void
  flush(): Promise<void>
  close(): void
}

export type PipelineOptions = Pick<AgentOptions, 'endpoint' | 'headers' | 'flushDeadlineMs'>

/** Encodes and sends spans of the stock SDK the way our own are: batches, bounds, retries and `OTEL_*` variables alike. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const settings = readSettings(options, process.env)
  const log = createLog()
  const queue: SpanQueue = new SpanQueue(encodeResource({}), settings.queue, (full) => sender.wake(full))
  const sender = createSender(() => queue, settings.endpoint, settings.delayMs, log)
  let known: StockResource | undefined
  let pending: Promise<void> | undefined

  const take = (resource: StockResource): void =>
    queue.setResource(encodeResource(plainAttributes(resource.attributes)))

  return {
    counts: queue.counts,
    add(span) {
      const resource = span.resource as StockResource
      if (resource !== known) {
        known = resource
        take(resource)
        if (resource.asyncAttributesPending === true) {
          pending = resource.waitForAsyncAttributes?.().then(() => take(resource))
        }
      }
      const { name, version } = span.instrumentationScope
      const own = fromReadable(span, queue.scopeIndex(name, version ?? ''))
      if (own !== undefined) queue.add(own)
    },
    async flush() {
      await pending?.catch(() => {})
      await sender.flush(settings.flushDeadlineMs)
    },
    close: () => sender.close(),
  }
}

function plainAttributes(attributes: Readonly<Record<string, unknown>>): ResourceAttributes {
  const plain: ResourceAttributes = {}
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      plain[key] = value
    else if (Array.isArray(value)) plain[key] = value.join(',')
  }
  return plain
}
