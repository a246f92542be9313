import { type Cause, noteCause } from '../core/cause.ts'
import { guard } from '../core/guard.ts'
import { nowMs } from '../core/ids.ts'
import { onHide } from '../core/lifecycle.ts'
import type { Attributes } from '../core/otlp-json.ts'
import { endSpan, startSpan } from '../core/tracer.ts'
import { type ComponentType, componentName } from './fiber.ts'
import type { Render } from './walk.ts'

const WINDOW_MS = 2000
const MAX_COMPONENTS = 20
const MAX_REASONS = 10

interface ComponentStats {
  readonly reasons: Map<string, number>
  readonly roots: Map<ComponentType, number>
  memo: Render['memo']
  renders: number
  mounts: number
  wasted: number
  selfMs: number
  wastedMs: number
}

/** Commits of one interaction, or of two seconds when none is known. */
export interface CommitWindow {
  readonly cause: Cause
  readonly startMs: number
  readonly phase: string
  readonly components: Map<ComponentType, ComponentStats>
  readonly profiled: Map<string, { renders: number; mounts: number; actualMs: number; baseMs: number }>
  version: string | undefined
  build: string | undefined
  endMs: number
  commits: number
  skipped: number
  walkMs: number
  /** Profiling builds only. */
  renderMs: number | undefined
}

const windows = new Map<unknown, CommitWindow>()

const count = <K>(map: Map<K, number>, key: K): void => {
  map.set(key, (map.get(key) ?? 0) + 1)
}

const byCount = (a: [unknown, number], b: [unknown, number]): number => b[1] - a[1]

const flush = guard('react', (key: unknown): void => {
  const window = windows.get(key)
  if (!windows.delete(key) || !window?.commits) return
  const { cause, components, renderMs } = window
  const span = startSpan('react.commits', cause.parent, window.startMs, {
    'hotspan.react.commits': window.commits,
    'hotspan.react.skipped_commits': window.skipped,
    'hotspan.react.phase': window.phase,
    'hotspan.react.walk_time': window.walkMs,
    'hotspan.react.duration': renderMs,
    'hotspan.react.version': window.version,
    'hotspan.react.build': window.build,
  })
  noteCause(span, cause)
  const event = (name: string, attributes: Attributes) =>
    span.events.push({ name, atMs: window.endMs, attributes })
  let total = 0
  for (const { renders } of components.values()) total += renders
  const processingMs = cause.how === 'sync' ? cause.interaction?.processingMs : undefined
  const worst = [...components]
    .filter(([, { renders, mounts }]) => renders > mounts)
    .sort(([, a], [, b]) => b.wastedMs - a.wastedMs || b.wasted - a.wasted || b.selfMs - a.selfMs)
  for (const [type, stats] of worst.slice(0, MAX_COMPONENTS)) {
    const [root] = [...stats.roots].sort(byCount)[0] ?? [null]
    event('hotspan.react.component', {
      'hotspan.react.component': componentName(type),
      'hotspan.react.cascade_root': root ? componentName(root) : '(root)',
      'hotspan.react.renders': stats.renders,
      'hotspan.react.mounts': stats.mounts,
      'hotspan.react.compared': stats.renders - stats.mounts,
      'hotspan.react.wasted': stats.wasted,
      'hotspan.react.reasons': [...stats.reasons]
        .sort(byCount)
        .slice(0, MAX_REASONS)
        .map((entry) => entry.join('='))
        .join(', '),
      'hotspan.react.memo': stats.memo,
      ...(renderMs === undefined
        ? { 'hotspan.react.est_time': processingMs && (processingMs * stats.renders) / total }
        : { 'hotspan.react.self_time': stats.selfMs, 'hotspan.react.wasted_time': stats.wastedMs }),
    })
  }
  for (const [id, { renders, mounts, actualMs, baseMs }] of window.profiled)
    event('hotspan.react.profiler', {
      'hotspan.react.component': id,
      'hotspan.react.renders': renders,
      'hotspan.react.mounts': mounts,
      'hotspan.react.duration': actualMs,
      'hotspan.react.base_time': baseMs,
    })
  endSpan(span, window.endMs)
})

/** The window that a commit of now belongs to; it closes with its interaction, after two seconds, or when the page is hidden. */
export const windowFor = (cause: Cause, phase: string, renderMs = 0): CommitWindow => {
  const sure = cause.how !== 'time' && cause.interaction
  // Near in time is kept apart from what is known.
  const key = sure || cause.link?.spanId || 'view'
  let window = windows.get(key)
  if (!window) {
    if (!windows.size) watchHide()
    window = {
      cause,
      startMs: sure && cause.how === 'sync' ? sure.startMs : nowMs() - renderMs,
      phase,
      components: new Map(),
      profiled: new Map(),
      version: undefined,
      build: undefined,
      endMs: 0,
      commits: 0,
      skipped: 0,
      walkMs: 0,
      renderMs: undefined,
    }
    windows.set(key, window)
    const close = () => flush(key)
    if (sure) sure.beforeEnd.push(close)
    setTimeout(close, WINDOW_MS)
  }
  window.endMs = nowMs()
  return window
}

let watching: boolean | undefined
const watchHide = (): void => {
  if (watching) return
  watching = true
  onHide(() => {
    for (const key of windows.keys()) flush(key)
  })
}

export const addRender = ({ components }: CommitWindow, render: Render): void => {
  let stats = components.get(render.type)
  if (!stats) {
    stats = {
      reasons: new Map(),
      roots: new Map(),
      memo: render.memo,
      renders: 0,
      mounts: 0,
      wasted: 0,
      selfMs: 0,
      wastedMs: 0,
    }
    components.set(render.type, stats)
  }
  const { selfMs = 0 } = render
  stats.renders++
  stats.selfMs += selfMs
  if (render.mount) stats.mounts++
  for (const reason of render.reasons) count(stats.reasons, reason)
  if (render.wasted) {
    stats.wasted++
    stats.wastedMs += selfMs
    count(stats.roots, render.cascadeRoot)
  }
}
