import type { QueueCounts } from '../send/batch.ts'
import { createPipeline, type Pipeline, type PipelineOptions } from './pipeline.ts'
import type { ReadableSpan, SpanProcessor } from './readable-span.ts'

/** Sampled in the sense of the trace flags. */
const SAMPLED = 1

/**
 * Batches and sends the SDK's spans in place of `BatchSpanProcessor` and an exporter: encoded as they end, bounded by bytes and
 * count, sent with retries, counted.
 */
export class HotspanSpanProcessor implements SpanProcessor {
  private readonly pipeline: Pipeline

  constructor(options: PipelineOptions = {}) {
    this.pipeline = createPipeline(options)
  }

  /** `made = sent + failed + dropped + queued`. */
  get counts(): QueueCounts {
    return { ...this.pipeline.counts }
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & SAMPLED) === 0) return
    this.pipeline.add(span)
  }

  forceFlush(): Promise<void> {
    return this.pipeline.flush()
  }

  async shutdown(): Promise<void> {
    await this.pipeline.flush()
    this.pipeline.close()
  }
}
