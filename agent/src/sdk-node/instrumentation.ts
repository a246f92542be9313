import { type Context, ROOT_CONTEXT, type TracerProvider } from '@opentelemetry/api'
import { runtime } from '../core/runtime.ts'
import { fault, reportFaultsTo } from '../faults.ts'
import { installInstrumentations } from '../instrumentations/install.ts'
import { createLog } from '../log.ts'
import { createPropagation } from '../propagation/propagation.ts'
import { type AgentOptions, readSettings } from '../settings.ts'
import { AGENT_VERSION } from '../version.ts'
import type { ReadableSpan, SpanProcessor } from './readable-span.ts'
import { toReadable } from './to-readable.ts'

export type InstrumentationOptions = Pick<
  AgentOptions,
  'callSites' | 'serverTiming' | 'without' | 'propagators'
> & {
  /** Where our spans go: the processors that the SDK was given, one or several. */
  processors: readonly Pick<SpanProcessor, 'onEnd'>[]
}

/** How often the SDK is asked for its resource; a sampler may decline. */
const MOST_PROBES = 1000

/**
 * All our instrumentations as one part for `NodeSDK`'s `instrumentations`. Their spans are handed to the given processors as the
 * SDK's own are, with its resource. They need our context manager (`HotspanContextManager`), in which the active span is the
 * context. New traces are sampled by `OTEL_TRACES_SAMPLER`, as the SDK's are by default.
 */
export class HotspanInstrumentation {
  readonly instrumentationName = '@hotspan/agent'
  readonly instrumentationVersion = AGENT_VERSION
  private readonly options: InstrumentationOptions
  private provider: TracerProvider | undefined
  private resource: unknown
  private probes = 0
  private stop: (() => void) | undefined

  constructor(options: InstrumentationOptions) {
    this.options = options
    this.enable()
  }

  enable(): void {
    if (this.stop !== undefined) return
    const settings = readSettings(this.options, process.env)
    if (!settings.enabled) return
    const log = createLog()
    reportFaultsTo(log)
    for (const complaint of settings.complaints) log(complaint)
    runtime.propagation = createPropagation(settings.propagators, process.env)
    runtime.sampler = settings.sampler
    runtime.limits = settings.limits
    runtime.ended = (span) => {
      try {
        const resource = this.knownResource()
        if (resource === undefined) return
        const readable = toReadable(span, resource)
        for (const processor of this.options.processors) processor.onEnd(readable)
      } catch (error) {
        fault('sdk-node', error)
      }
    }
    this.stop = installInstrumentations(settings, [])
  }

  disable(): void {
    this.stop?.()
    this.stop = undefined
    runtime.ended = () => {}
  }

  setTracerProvider(provider: TracerProvider): void {
    this.provider = provider
  }

  setMeterProvider(): void {}

  setConfig(): void {}

  getConfig(): { enabled: boolean } {
    return { enabled: this.stop !== undefined }
  }

  /** The SDK tells its resource to nobody but its spans: one is begun, read and let go. */
  private knownResource(): unknown {
    if (this.resource !== undefined || this.provider === undefined || this.probes >= MOST_PROBES) {
      return this.resource
    }
    this.probes++
    const probe = this.provider
      .getTracer(this.instrumentationName, AGENT_VERSION)
      .startSpan('probe', { root: true }, ROOT_CONTEXT as Context) as unknown as Partial<ReadableSpan>
    this.resource = probe.resource
    return this.resource
  }
}
