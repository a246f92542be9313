import { createPipeline, type Pipeline, type PipelineOptions } from './pipeline.ts'
import type { ReadableSpan } from './readable-span.ts'

/** `ExportResult` of the stock SDK: code 0 is success, 1 failure. */
interface ExportResult {
  code: number
  error?: Error
}

/** Sends what a stock `BatchSpanProcessor` hands over: OTLP protobuf by our encoder, with retries. */
export class HotspanSpanExporter {
  private readonly pipeline: Pipeline

  constructor(options: PipelineOptions = {}) {
    this.pipeline = createPipeline(options)
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const { counts } = this.pipeline
    const lostBefore = counts.failed + counts.dropped
    for (const span of spans) this.pipeline.add(span)
    this.pipeline.flush().then(
      () => {
        const lost = counts.failed + counts.dropped - lostBefore
        done(lost === 0 ? { code: 0 } : { code: 1, error: new Error(`${lost} spans were not delivered`) })
      },
      (error: unknown) => done({ code: 1, error: error instanceof Error ? error : new Error(String(error)) }),
    )
  }

  forceFlush(): Promise<void> {
    return this.pipeline.flush()
  }

  async shutdown(): Promise<void> {
    await this.pipeline.flush()
    this.pipeline.close()
  }
}
