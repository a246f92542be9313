import { createRequire } from 'node:module'
import { join } from 'node:path'
import { clockAnchor } from '../core/clock.ts'
import { EMPTY_CONTEXT, SUPPRESSED_CONTEXT } from '../core/linked-context.ts'
import { active, runtime } from '../core/runtime.ts'
import { Trace } from '../core/trace.ts'
import { isAppFile, reportedPath } from '../instrumentations/call-site.ts'
import { ownFolder } from '../own-folder.ts'
import type { BlockingFrame } from './stall-span.ts'
import type { Stall } from './stall-watch.ts'

/** 100 Hz: no CPU cost above the noise, and five samples in the shortest stall. */
const INTERVAL_MICROS = 10_000

/** What is used of `@datadog/pprof`, an optional peer. */
interface Pprof {
  time: {
    start(options: object): void
    stop(restart: boolean, labels?: (args: { context?: SampleContext }) => Record<string, number>): Profile
    setContext(context: object | undefined): void
    getContext(): unknown
  }
}

interface SampleContext {
  readonly context?: unknown
  /** Epoch microseconds. */
  readonly timestamp: bigint
}

type Numeric = number | bigint

interface Profile {
  sample: { locationId: Numeric[]; value: Numeric[]; label: { key: Numeric; num: Numeric }[] }[]
  location: { id: Numeric; line: { functionId: Numeric; line: Numeric }[] }[]
  function: { id: Numeric; name: Numeric; filename: Numeric }[]
  stringTable: { strings: string[] }
}

/** What the samples say about one stall. */
export interface StallEvidence {
  readonly blocking: Trace | undefined
  readonly frame: BlockingFrame | undefined
}

export interface StallProfiler {
  /** Evidence for each stall, in order. Blocks the loop for 5 to 60 ms. Samples until now are then forgotten. */
  evidence(stalls: readonly Stall[]): StallEvidence[]
  stop(): void
}

/**
 * Samples the thread with the active trace on every sample. Undefined when `@datadog/pprof` is not installed, or when the
 * trace cannot travel with the samples here: that needs Node's AsyncContextFrame, whose absence raises no error (every sample
 * is then unlabelled), so a round trip decides.
 */
export function startProfiler(complain: (line: string) => void): StallProfiler | undefined {
  const pprof = loadPprof()
  if (pprof === undefined) {
    complain('HOTSPAN_PROFILE is set but @datadog/pprof cannot be loaded: npm install @datadog/pprof')
    return undefined
  }
  const { time } = pprof
  try {
    time.start({ intervalMicros: INTERVAL_MICROS, withContexts: true, useCPED: true, collectCpuTime: false })
  } catch (error) {
    complain(`the profiler does not start: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
  const probe = {}
  const travels = active.run(EMPTY_CONTEXT, () => {
    time.setContext(probe)
    return time.getContext() === probe
  })
  if (!travels) {
    time.stop(false)
    complain('stalls get no function names: this Node has no AsyncContextFrame (default from Node 24)')
    return undefined
  }
  runtime.traceActivated = (trace) => time.setContext(trace)
  return {
    evidence: (stalls) => readEvidence(time, stalls),
    stop() {
      runtime.traceActivated = null
      time.stop(false)
    },
  }
}

function loadPprof(): Pprof | undefined {
  // The app's own copy first: ours is only there when both are installed side by side.
  for (const from of [join(process.cwd(), 'package.json'), process.argv[1], ownFolder]) {
    if (from === undefined) continue
    try {
      return createRequire(from)('@datadog/pprof') as Pprof
    } catch {
      // Not from here.
    }
  }
  return undefined
}

const STALL_LABEL = 'stall'
const TRACE_LABEL = 'trace'

function readEvidence(time: Pprof['time'], stalls: readonly Stall[]): StallEvidence[] {
  const anchor = clockAnchor(stalls[0]?.startMs ?? 0)
  const epochUs = (ms: number): number => anchor.sec * 1e6 + anchor.ns / 1e3 + ms * 1e3
  // A sample is taken up to one interval before the time it stands for.
  const windows = stalls.map(({ startMs, endMs }) => ({ from: epochUs(startMs), to: epochUs(endMs) }))
  const traces: Trace[] = []
  const indexes = new Map<Trace, number>()
  const profile = active.run(SUPPRESSED_CONTEXT, () =>
    time.stop(true, ({ context }): Record<string, number> => {
      if (context === undefined) return {}
      const at = Number(context.timestamp)
      const stall = windows.findIndex(({ from, to }) => at >= from && at <= to)
      if (stall < 0) return {}
      const trace = context.context
      if (!(trace instanceof Trace)) return { [STALL_LABEL]: stall + 1 }
      let index = indexes.get(trace)
      if (index === undefined) {
        index = traces.push(trace)
        indexes.set(trace, index)
      }
      return { [STALL_LABEL]: stall + 1, [TRACE_LABEL]: index }
    }),
  )
  const samples = stalls.map((): StallSample[] => [])
  const { strings } = profile.stringTable
  const locations = new Map(profile.location.map((location) => [Number(location.id), location]))
  const functions = new Map(profile.function.map((fn) => [Number(fn.id), fn]))
  for (const sample of profile.sample) {
    const label = (name: string): number =>
      Number(sample.label.find(({ key }) => strings[Number(key)] === name)?.num ?? 0)
    const stall = label(STALL_LABEL)
    if (stall === 0) continue
    const frames = sample.locationId.map((id) => {
      const line = locations.get(Number(id))?.line[0]
      const fn = functions.get(Number(line?.functionId ?? 0))
      return {
        functionName: strings[Number(fn?.name ?? 0)] ?? '',
        file: strings[Number(fn?.filename ?? 0)] ?? '',
        line: Number(line?.line ?? 0),
      }
    })
    samples[stall - 1]!.push({
      frames,
      count: Number(sample.value[0] ?? 1),
      trace: traces[label(TRACE_LABEL) - 1],
    })
  }
  return samples.map(judge)
}

interface Frame {
  readonly functionName: string
  readonly file: string
  readonly line: number
}

interface StallSample {
  readonly frames: readonly Frame[]
  readonly count: number
  readonly trace: Trace | undefined
}

/** The trace and the function that most samples of the stall agree on. */
function judge(samples: readonly StallSample[]): StallEvidence {
  const blocking = mostOf(samples, ({ trace }) => trace)?.value
  const own = blocking === undefined ? samples : samples.filter(({ trace }) => trace === blocking)
  const top = mostOf(own, ({ frames }) => {
    const frame = blockingFrame(frames)
    return frame && `${frame.functionName}\n${frame.file}\n${frame.line}`
  })
  const chosen = top?.first
  const frame = chosen && blockingFrame(chosen.frames)
  if (top === undefined || chosen === undefined || frame === undefined) return { blocking, frame: undefined }
  return {
    blocking,
    frame: {
      functionName: frame.functionName,
      filePath: reportedPath(frame.file),
      lineNumber: frame.line,
      samples: top.count,
      stack: chosen.frames
        .slice(0, 50)
        .map(({ functionName, file, line }) => `    at ${functionName} (${file}:${line})`)
        .join('\n'),
    },
  }
}

/** Innermost frame of the app; of a package when the app is not on the stack; else of Node. */
function blockingFrame(frames: readonly Frame[]): Frame | undefined {
  const real = frames.filter(({ file }) => file !== '')
  return (
    real.find(({ file }) => isAppFile(file)) ?? real.find(({ file }) => !file.startsWith('node:')) ?? real[0]
  )
}

function mostOf<V>(
  samples: readonly StallSample[],
  of: (sample: StallSample) => V | undefined,
): { value: V; count: number; first: StallSample } | undefined {
  const counts = new Map<V, { value: V; count: number; first: StallSample }>()
  for (const sample of samples) {
    const value = of(sample)
    if (value === undefined) continue
    const entry = counts.get(value)
    if (entry === undefined) counts.set(value, { value, count: sample.count, first: sample })
    else entry.count += sample.count
  }
  let most: { value: V; count: number; first: StallSample } | undefined
  for (const entry of counts.values()) if (most === undefined || entry.count > most.count) most = entry
  return most
}
