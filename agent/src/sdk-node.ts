/** Door `@hotspan/agent/sdk-node`: our parts for the `NodeSDK` of `@opentelemetry/sdk-node`. */
export { AgentContextManager as HotspanContextManager } from './core/context-manager.ts'
export { HotspanInstrumentation, type InstrumentationOptions } from './sdk-node/instrumentation.ts'
export type { PipelineOptions } from './sdk-node/pipeline.ts'
export { HotspanSpanExporter } from './sdk-node/span-exporter.ts'
export { HotspanSpanProcessor } from './sdk-node/span-processor.ts'
