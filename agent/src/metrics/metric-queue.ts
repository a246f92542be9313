import { encodeMetrics, type KeyValue, type ScopeMetrics } from '@hotspan/otlp'
import type { Batch, BatchQueue, QueueCounts } from '../send/batch.ts'

/** The last collection on its way out: one that could not leave is replaced by the next, which says all that it said. */
export class MetricQueue implements BatchQueue {
  readonly noun = 'metric points'
  readonly hasFullBatch = false
  readonly counts: QueueCounts = { made: 0, sent: 0, failed: 0, dropped: 0, queued: 0 }
  private batch: Batch | undefined

  get waiting(): number {
    return this.batch?.count ?? 0
  }

  put(resource: readonly KeyValue[], scopeMetrics: readonly ScopeMetrics[]): void {
    let points = 0
    for (const { metrics } of scopeMetrics) for (const { data } of metrics) points += data?.points.length ?? 0
    if (points === 0) return
    const body = encodeMetrics({
      resourceMetrics: [
        {
          resource: { attributes: [...resource], droppedAttributesCount: 0 },
          schemaUrl: '',
          scopeMetrics: [...scopeMetrics],
        },
      ],
    })
    const { counts } = this
    if (this.batch !== undefined) {
      counts.dropped += this.batch.count
      counts.queued -= this.batch.count
    }
    counts.made += points
    counts.queued += points
    this.batch = { pieces: [body], bytes: body.length, count: points }
  }

  take(): Batch | undefined {
    const { batch } = this
    this.batch = undefined
    return batch
  }

  done(batch: Batch, rejected: number): void {
    const lost = Math.min(batch.count, Math.max(0, rejected))
    this.counts.queued -= batch.count
    this.counts.sent += batch.count - lost
    this.counts.failed += lost
  }
}
