/**
 * Another company's telemetry: the partner runs on the stock OpenTelemetry SDK with its stock exporter, configured by `OTEL_*`
 * variables alone, and takes one part of ours, the instrumentations. Loaded with `--import` before the service.
 */
import { HotspanContextManager, HotspanInstrumentation } from '@hotspan/agent/sdk-node'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace'

const processor = new BatchSpanProcessor({ exporter: new OTLPTraceExporter(), scheduledDelayMillis: 1000 })
const sdk = new NodeSDK({
  contextManager: new HotspanContextManager(),
  spanProcessors: [processor],
  instrumentations: [new HotspanInstrumentation({ processors: [processor] })],
})
sdk.start()
process.once('beforeExit', () => sdk.shutdown())
