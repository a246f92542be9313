import * as ownApi from '@opentelemetry/api'
import { newerApiCopy } from './core/api-copy.ts'
import { AgentContextManager } from './core/context-manager.ts'
import { SUPPRESSED_CONTEXT } from './core/linked-context.ts'
import { W3cPropagator } from './core/propagator.ts'
import { active, runtime } from './core/runtime.ts'
import { AgentTracerProvider } from './core/tracer.ts'
import { watchEventLoop } from './event-loop/event-loop.ts'
import { type FaultCount, faultCounts, reportFaultsTo } from './faults.ts'
import { databasePackages } from './instrumentations/database-packages.ts'
import { frameworkPackages } from './instrumentations/framework-packages.ts'
import { installInstrumentations } from './instrumentations/install.ts'
import { NEXT_SCOPE, NextTracer } from './instrumentations/next.ts'
import { instrumentOnnxruntime } from './instrumentations/onnxruntime.ts'
import { createLog } from './log.ts'
import { ConfiguredPropagator } from './propagation/configured-propagator.ts'
import { createPropagation } from './propagation/propagation.ts'
import { awaitColdStart } from './resource/cold-start.ts'
import { askForResource, thisMachine } from './resource/detect.ts'
import { encodeResource, resourceAttributes } from './resource/resource.ts'
import { watchCrash } from './safety/crash.ts'
import { watchExit } from './safety/exit.ts'
import { createLocalTail } from './sampling/local-tail.ts'
import { createRateLimit } from './sampling/rate-limit.ts'
import type { QueueCounts } from './send/batch.ts'
import { createSender } from './send/sender.ts'
import { SpanQueue } from './send/span-queue.ts'
import { type AgentOptions, readSettings } from './settings.ts'
import { type Signals, startSignals } from './signals.ts'
import { AGENT_VERSION } from './version.ts'

export interface AgentStats {
  readonly running: boolean
  /** `made = sent + failed + dropped + queued`. */
  readonly spans: QueueCounts
  /** Log records that go out as OTLP, by the same rule; all zero when they do not. */
  readonly logs: QueueCounts
  /** Metric points that go out as OTLP, by the same rule. */
  readonly metrics: QueueCounts
  /** Port of the Prometheus endpoint, when there is one and it listens. */
  readonly prometheusPort: number | undefined
  /** Faults of our own instrumentations, by name. */
  readonly faults: Record<string, FaultCount>
}

interface Running {
  readonly queue: SpanQueue
  readonly signals: Signals
  /** Instrumentations that are switched off, by name. */
  readonly without: ReadonlySet<string>
  flush(deadlineMs: number): Promise<void>
  stop(): Promise<void>
}

/** Bundles made with our plugin hand their packages over here. */
const HAND_OVER = Symbol.for('hotspan.instrument')

let current: Running | undefined

const NOTHING: QueueCounts = { made: 0, sent: 0, failed: 0, dropped: 0, queued: 0 }

/**
 * Starts tracing this thread; a second call does nothing. Returns whether the agent runs: not when it is switched off
 * (`HOTSPAN_DISABLED`, `OTEL_SDK_DISABLED`), nor when another tracer provider has been registered.
 */
export function start(options: AgentOptions = {}): boolean {
  if (current !== undefined) return true
  const settings = readSettings(options, process.env)
  if (!settings.enabled) return false
  const log = createLog()
  reportFaultsTo(log)
  for (const complaint of settings.complaints) log(complaint)

  const resource = resourceAttributes(settings, thisMachine)
  awaitColdStart(resource)
  const queue: SpanQueue = new SpanQueue(encodeResource(resource), settings.queue, (full) =>
    sender.wake(full),
  )
  const sender = createSender(() => queue, settings.endpoint, settings.delayMs, log)
  queue.scopeIndex('@hotspan/agent', AGENT_VERSION)
  const { trace, context, propagation, metrics } = newerApiCopy(ownApi, process.argv[1])
  if (
    !trace.setGlobalTracerProvider(
      new AgentTracerProvider(
        (name, version) => queue.scopeIndex(name, version),
        (name, tracer) =>
          name === NEXT_SCOPE && !settings.without.has('next') ? new NextTracer(tracer) : tracer,
      ),
    )
  ) {
    log('another OpenTelemetry tracer provider is registered already; the agent steps back')
    sender.close()
    return false
  }
  context.setGlobalContextManager(new AgentContextManager())
  runtime.propagation = createPropagation(settings.propagators, process.env)
  propagation.setGlobalPropagator(
    runtime.propagation === null ? new W3cPropagator() : new ConfiguredPropagator(runtime.propagation),
  )
  runtime.sampler = settings.sampler
  if (settings.maxTracesPerSec > 0) {
    runtime.rateLimit = createRateLimit(settings.maxTracesPerSec, settings.sampler)
  }
  if (settings.keepSlowMs !== null) runtime.tail = createLocalTail(settings.keepSlowMs)
  runtime.limits = settings.limits
  runtime.ended = (span) => queue.add(span)

  const signals = startSignals(settings, resource, log)
  if (signals.metrics !== null) metrics.setGlobalMeterProvider(signals.metrics.provider)
  // Metadata services are asked behind the app's back: the start waits for nothing.
  void active.run(SUPPRESSED_CONTEXT, askForResource, settings.detectors, thisMachine).then((told) => {
    if (Object.keys(told).length === 0) return
    const whole = { ...resource, ...told, ...settings.resource }
    queue.setResource(encodeResource(whole))
    signals.setResource(whole)
  })

  const stops: (() => void)[] = [installInstrumentations(settings, signals.packages)]
  const eventLoop = settings.without.has('event-loop') ? undefined : watchEventLoop(settings.profile, log)
  const flush = (deadlineMs: number): Promise<void> => {
    eventLoop?.settle()
    return Promise.all([sender.flush(deadlineMs), signals.flush(deadlineMs)]).then(() => {})
  }
  stops.push(watchCrash(queue, settings.endpoint, settings.flushDeadlineMs))
  stops.push(watchExit(() => flush(settings.flushDeadlineMs)))
  Object.defineProperty(globalThis, HAND_OVER, { value: instrument, configurable: true })
  current = {
    queue,
    signals,
    without: settings.without,
    flush,
    async stop() {
      for (const end of stops) end()
      await flush(settings.flushDeadlineMs)
      eventLoop?.stop()
      runtime.ended = () => {}
      runtime.rateLimit = null
      runtime.tail = null
      runtime.touched = null
      runtime.traceActivated = null
      sender.close()
      signals.stop()
      if (signals.metrics !== null) metrics.disable()
      trace.disable()
      context.disable()
      propagation.disable()
    },
  }
  return true
}

/** Sends what waits and ends tracing. Resolves at the flush deadline at the latest; never rejects. */
export async function stop(): Promise<void> {
  const running = current
  if (running === undefined) return
  current = undefined
  await running.stop()
}

/** Sends what waits now, for a process that is about to be frozen. Resolves within `deadlineMs`; never rejects. */
export async function flush(deadlineMs = 5000): Promise<void> {
  await current?.flush(deadlineMs)
}

/** Counts so far. */
export function stats(): AgentStats {
  return {
    running: current !== undefined,
    spans: { ...(current?.queue.counts ?? NOTHING) },
    logs: { ...(current?.signals.logCounts ?? NOTHING) },
    metrics: { ...(current?.signals.metrics?.counts ?? NOTHING) },
    prometheusPort: current?.signals.metrics?.prometheusPort(),
    faults: faultCounts(),
  }
}

/**
 * Wraps a package that the loader hook cannot see, because a bundler has put it into the app's own file:
 * `instrument('pg', pg)`, after `start()`. Returns false when the agent does not run, and for a package that is switched off or
 * not known.
 */
export function instrument(name: string, exports: unknown): boolean {
  if (current === undefined || current.without.has(name)) return false
  const packages = [...databasePackages(), ...frameworkPackages, ...current.signals.packages]
  const patch =
    name === 'onnxruntime-node'
      ? instrumentOnnxruntime
      : packages.find((target) => target.name === name)?.patch
  if (patch !== undefined) patch(exports)
  return patch !== undefined
}
