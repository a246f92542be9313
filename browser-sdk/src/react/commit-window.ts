import { type Cause, noteCause } from '../core/cause.ts'
import { guard } from '../core/guard.ts'
import { nowMs } from '../core/ids.ts'
import { onHide } from '../core/lifecycle.ts'
import { addEvent, endSpan, type LiveSpan, startSpan } from '../core/tracer.ts'
import { type ComponentType, componentName } from './fiber.ts'

const WINDOW_MS = 2000
const MAX_COMPONENTS = 20

type Counts = Record<string, number>

/** Plain fields, counted up in place thousands of times a commit; they get their names when they are sent. */
export interface ComponentStats {
  readonly reasons: Counts
  readonly roots: Counts
  readonly memo: 'none' | 'memo' | 'compiler' | undefined
  renders: number
  mounts: number
  /** Of these cause and output were looked at. */
  compared: number
  wasted: number
  /** Own render time; undefined in production builds. */
  selfMs: number | undefined
  wastedMs: number | undefined
  /** The commit that was walked last, its renders so far, and whether the last one that was compared began a cascade. */
  commitId: number
  commitRenders?: number
  beginsCascade?: boolean
}

/** Commits of one interaction, or of two seconds when none is known. */
export interface CommitWindow {
  /** Its attributes are counted up in place. */
  readonly span: LiveSpan
  /** By component; a `<HotspanProfiler>` counts under its id. */
  readonly components: Map<ComponentType | string, ComponentStats>
  readonly close: () => void
  endMs: number
}

const windows = new Map<unknown, CommitWindow>()

const ranked = (counts: Counts): [string, number][] => Object.entries(counts).sort((a, b) => b[1] - a[1])

const send = guard(({ span, components, endMs }: CommitWindow, processingMs?: number): void => {
  let total = 0
  for (const { renders } of components.values()) total += renders
  for (const [type, { renders, mounts, compared, wasted, reasons, roots, memo, selfMs, wastedMs }] of [
    ...components,
  ]
    .filter(([, stats]) => stats.renders > stats.mounts)
    .sort(
      ([, a], [, b]) =>
        // Without times (production) the first difference is NaN, and the next one decides.
        b.wastedMs! - a.wastedMs! || b.wasted - a.wasted || b.renders - a.renders,
    )
    .slice(0, MAX_COMPONENTS))
    addEvent(span, `hotspan.react.${typeof type === 'string' ? 'profiler' : 'component'}`, endMs, {
      'hotspan.react.component': componentName(type),
      'hotspan.react.memo': memo,
      'hotspan.react.renders': renders,
      'hotspan.react.mounts': mounts,
      'hotspan.react.compared': compared,
      'hotspan.react.wasted': wasted,
      'hotspan.react.self_time': selfMs,
      'hotspan.react.wasted_time': wastedMs,
      'hotspan.react.cascade_root': ranked(roots)[0]?.[0],
      'hotspan.react.reasons': ranked(reasons)
        .map((entry) => entry.join('='))
        .join(', '),
      'hotspan.react.est_time':
        selfMs === undefined && processingMs ? (processingMs * renders) / total : undefined,
    })
  endSpan(span, endMs)
})

/** The window that a commit of now belongs to; it closes with its interaction, after two seconds, or when the page is hidden. */
export const windowFor = (cause: Cause, renderMs = 0): CommitWindow => {
  const { parent, link, interaction } = cause
  // Near in time is kept apart from what is known.
  const key = link ? link.spanId : parent
  const sync = cause.how === 'sync' ? interaction : undefined
  const window: CommitWindow = windows.get(key) ?? {
    span: startSpan('react.commits', parent, sync ? sync.startMs : nowMs() - renderMs),
    components: new Map(),
    close: () => {
      // A later window may have the key by now.
      if (windows.get(key) === window && windows.delete(key))
        send(window, sync?.attributes['hotspan.interaction.processing_time'] as number | undefined)
    },
    endMs: 0,
  }
  if (!window.endMs) {
    windows.set(key, window)
    noteCause(window.span, cause)
    if (!link) interaction?.beforeEnd.push(window.close)
    setTimeout(window.close, WINDOW_MS)
  }
  window.endMs = nowMs()
  return window
}

// Registered before any signal is: its own span and the transport's last flush come later.
onHide(() => {
  for (const { close } of windows.values()) close()
})

/** Begins to count for a component; `selfMs` tells whether there are times to count. */
export const countFor = (
  { components }: CommitWindow,
  type: ComponentType | string,
  selfMs: number | undefined,
  memo?: ComponentStats['memo'],
): ComponentStats => {
  const timed = selfMs === undefined ? undefined : 0
  const stats: ComponentStats = {
    reasons: {},
    roots: {},
    memo,
    renders: 0,
    mounts: 0,
    compared: 0,
    wasted: 0,
    selfMs: timed,
    wastedMs: timed,
    commitId: 0,
  }
  components.set(type, stats)
  return stats
}
