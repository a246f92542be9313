import { build } from 'hdr-histogram-js'
import { packageVersion } from '../package-version.ts'
import { type Run, runSchemaVersion, type Sample } from '../run.ts'
import { configHash } from '../runs/config-hash.ts'
import { gitFacts } from '../runs/git-facts.ts'
import { machineKey } from '../runs/machine-key.ts'
import { newRunId } from '../runs/run-id.ts'
import { runOnSchedule } from './arrival-clock.ts'
import { createTransport } from './http-transport.ts'
import { hasLatency, loadMetrics, type RequestSample } from './load-metrics.ts'
import { type LoadOptions, type ResolvedLoadOptions, resolveLoadOptions } from './load-options.ts'
import { type OpenRequest, OpenRequests } from './open-requests.ts'
import type { Endpoint } from './scenario.ts'
import { type PlannedRequest, planRequests } from './schedule.ts'
import { loadTarget } from './target.ts'
import { newTraceContext, sampledAlways } from './trace-context.ts'

/** A request sent later than this after its intended start was late, ms (over 2 % of them disturb a comparison). */
export const lateMs = 5
/** Wall and monotonic clock may drift apart by this much during a run before it is void, ms. */
const clockJumpMs = 50
/** Error codes of requests that never reached an application. */
const unreachable = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])
/** Longest latency that the progress histogram holds, us: an hour. */
const highestTrackableUs = 3_600_000_000

export interface LoadResult {
  readonly run: Run
  /** One per request that came due in the measured part, in that order. */
  readonly samples: Sample[]
}

/**
 * Sends an open-model load: every request leaves on a seeded schedule that no answer can slow down, and its latency counts from the
 * intended start. Throws `HS_LOAD_OPTION` for options that cannot be used; a failing server is a result, not an error.
 */
export async function generateLoad(options: LoadOptions): Promise<LoadResult> {
  const settings = resolveLoadOptions(options)
  const target = loadTarget(options.url, options.allowRemote ?? false)
  const git = await gitFacts(options.cwd)
  const lengthMs = settings.warmUpMs + settings.measuredMs
  const endpoints = settings.scenario.endpoints.map((endpoint) => prepare(endpoint, settings))
  const transport = createTransport(target.origin, settings.maxOpen)
  const open = new OpenRequests()
  const samples: RequestSample[] = []
  const histogram = build({ highestTrackableValue: highestTrackableUs, numberOfSignificantValueDigits: 3 })
  let due = 0
  let late = 0
  let failed = 0
  let refused = 0

  const abort = new AbortController()
  const onAbort = () => {
    abort.abort()
    open.abortAll()
  }
  if (options.signal?.aborted) abort.abort()
  options.signal?.addEventListener('abort', onAbort, { once: true })

  const cpuBefore = threadCpuMs()
  const startedAtUnixMs = Date.now()
  const startMs = performance.now()
  const unixUs = (ms: number) => Math.round((startedAtUnixMs + (ms - startMs)) * 1000)

  const send = (request: PlannedRequest, nowMs: number) => {
    due++
    const prepared = endpoints[request.endpointIndex]!
    const intendedMs = startMs + request.dueMs
    const measured = request.dueMs >= settings.warmUpMs
    const trace = settings.tracing ? newTraceContext() : undefined
    const sample: Writable<RequestSample> = {
      type: 'request',
      endpoint: prepared.name,
      intendedUnixUs: unixUs(intendedMs),
      sentUnixUs: unixUs(nowMs),
      durationUs: 0,
      status: 0,
      bytes: 0,
      error: '',
      traceId: trace?.traceId ?? '',
    }
    // Stored now, filled in by the answer: samples stay in the order of the schedule whatever the order of the answers.
    if (measured) samples.push(sample)
    const record = (durationMs: number, status: number, bytes: number, error: string) => {
      sample.durationUs = Math.max(0, Math.round(durationMs * 1000))
      sample.status = status
      sample.bytes = bytes
      sample.error = error
      if (!measured) return
      if (error !== '') failed++
      if (hasLatency(sample))
        histogram.recordValue(Math.min(Math.max(1, sample.durationUs), highestTrackableUs))
    }
    if (measured && nowMs - intendedMs > lateMs) late++
    if (open.size >= settings.maxOpen) {
      if (measured) refused++
      return record(Math.max(settings.timeoutMs, nowMs - intendedMs), 0, 0, 'refused')
    }
    const entry: OpenRequest = {
      deadlineMs: nowMs + settings.timeoutMs,
      expire(reason) {
        record(performance.now() - intendedMs, 0, 0, reason)
        exchange.abort()
      },
    }
    open.add(entry)
    const headers = trace
      ? [...prepared.headers, 'traceparent', trace.traceparent, 'tracestate', sampledAlways]
      : prepared.headers
    const exchange = transport.send(
      { method: prepared.method, path: target.prefix + request.path, headers, body: request.body },
      {
        end(status, bytes) {
          record(performance.now() - intendedMs, status, bytes, status >= 400 ? `status ${status}` : '')
          open.remove(entry)
        },
        error(code) {
          record(performance.now() - intendedMs, 0, 0, code)
          open.remove(entry)
        },
      },
    )
  }

  const report = () =>
    options.onProgress?.({
      elapsedMs: performance.now() - startMs,
      lengthMs,
      warmingUp: performance.now() - startMs < settings.warmUpMs,
      due,
      open: open.size,
      failed,
      p50Ms: histogram.getValueAtPercentile(50) / 1000,
      p95Ms: histogram.getValueAtPercentile(95) / 1000,
    })
  const progressTimer = options.onProgress ? setInterval(report, 250) : undefined

  try {
    const plan = planRequests({ ...settings, lengthMs })
    await runOnSchedule(plan, startMs, send, abort.signal)
    if (abort.signal.aborted) open.abortAll()
    await open.drained()
    report()
  } finally {
    clearInterval(progressTimer)
    options.signal?.removeEventListener('abort', onAbort)
    open.close()
    await transport.close()
  }

  const sent = samples.length - refused
  const clockDriftMs = Math.abs(Date.now() - startedAtUnixMs - (performance.now() - startMs))
  const run: Run = {
    schemaVersion: runSchemaVersion,
    id: newRunId(startedAtUnixMs),
    kind: 'load',
    driver: 'hotspan',
    driverVersion: packageVersion(),
    model: 'open',
    scenario: settings.scenario.name,
    url: target.origin + target.prefix,
    startedAtUnixMs,
    warmUpMs: settings.warmUpMs,
    measuredMs: settings.measuredMs,
    arrivals: settings.arrivals,
    arrivalsPerSec: settings.arrivalsPerSec,
    seed: settings.seed,
    ...git,
    machineKey: machineKey(),
    configHash: configHash({ ...settings, seed: undefined }),
    health: {
      sent,
      failed,
      refused,
      lateShareRatio: samples.length === 0 ? 0 : late / samples.length,
      generatorCpuMs: threadCpuMs() - cpuBefore,
      voidReason: voidReason(abort.signal.aborted, samples, target.origin, clockDriftMs),
    },
    metrics: loadMetrics(samples, settings.measuredMs),
    command: options.command ?? [],
  }
  return { run, samples }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

interface PreparedEndpoint {
  readonly name: string
  readonly method: string
  readonly headers: string[]
}

function prepare(endpoint: Endpoint, settings: ResolvedLoadOptions): PreparedEndpoint {
  const merged = new Map<string, string>()
  for (const [name, value] of Object.entries({ ...settings.headers, ...endpoint.headers })) {
    merged.set(name.toLowerCase(), value)
  }
  return { name: endpoint.name, method: endpoint.method ?? 'GET', headers: [...merged].flat() }
}

function voidReason(
  aborted: boolean,
  samples: readonly RequestSample[],
  origin: string,
  clockDriftMs: number,
): string {
  if (aborted) return 'stopped before the schedule ended'
  if (samples.every((sample) => sample.error === 'refused')) return 'no request was sent in the measured part'
  // Error answers and time-outs are the application's; a connection that never comes about says nothing about it.
  if (samples.every((sample) => unreachable.has(sample.error)))
    return `nothing answers at ${origin} (${samples[0]!.error}): start the application first`
  if (clockDriftMs > clockJumpMs) return `the wall clock jumped by ${Math.round(clockDriftMs)} ms`
  return ''
}

/** CPU of the generator's thread; of the whole process before Node 23.9, which has no figure per thread. */
function threadCpuMs(): number {
  const usage = typeof process.threadCpuUsage === 'function' ? process.threadCpuUsage() : process.cpuUsage()
  return (usage.user + usage.system) / 1000
}
