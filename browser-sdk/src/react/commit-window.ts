import { add } from '../core/add.ts'
import { type Cause, noteCause } from '../core/cause.ts'
import { guard } from '../core/guard.ts'
import { nowMs } from '../core/ids.ts'
import { onHide } from '../core/lifecycle.ts'
import type { Attributes } from '../core/otlp-json.ts'
import { addEvent, endSpan, type LiveSpan, startSpan } from '../core/tracer.ts'
import { type ComponentType, componentName } from './fiber.ts'
import type { Render } from './walk.ts'

const WINDOW_MS = 2000
const MAX_COMPONENTS = 20

type Counts = Record<string, number>

interface ComponentStats {
  readonly reasons: Counts
  readonly roots: Counts
  /** Counted up in place, as they will be sent. */
  readonly attributes: Counts & Attributes
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
  for (const { attributes } of components.values()) total += attributes['hotspan.react.renders']!
  for (const [type, { attributes, reasons, roots }] of [...components]
    .filter(([, { attributes }]) => attributes['hotspan.react.compared'])
    .sort(
      ([, { attributes: a }], [, { attributes: b }]) =>
        // Without times (production) the first difference is NaN, and the next one decides.
        b['hotspan.react.wasted_time']! - a['hotspan.react.wasted_time']! ||
        b['hotspan.react.wasted']! - a['hotspan.react.wasted']! ||
        b['hotspan.react.renders']! - a['hotspan.react.renders']!,
    )
    .slice(0, MAX_COMPONENTS))
    addEvent(span, `hotspan.react.${typeof type === 'string' ? 'profiler' : 'component'}`, endMs, {
      ...attributes,
      'hotspan.react.cascade_root': ranked(roots)[0]?.[0],
      'hotspan.react.reasons': ranked(reasons)
        .map((entry) => entry.join('='))
        .join(', '),
      'hotspan.react.est_time':
        'hotspan.react.self_time' in attributes || !processingMs
          ? undefined
          : (processingMs * attributes['hotspan.react.renders']!) / total,
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
      if (windows.delete(key))
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

export const addRender = (
  { components }: CommitWindow,
  type: ComponentType | string,
  { memo, mount, reasons = [], wasted, cascadeRoot, selfMs }: Render,
): void => {
  let stats = components.get(type)
  if (!stats) {
    const attributes = { 'hotspan.react.component': componentName(type), 'hotspan.react.memo': memo }
    stats = { reasons: {}, roots: {}, attributes: attributes as Attributes as ComponentStats['attributes'] }
    components.set(type, stats)
  }
  const { attributes } = stats
  add(attributes, 'hotspan.react.renders')
  add(attributes, 'hotspan.react.mounts', +mount)
  add(attributes, 'hotspan.react.compared', +!mount)
  add(attributes, 'hotspan.react.wasted', +!!wasted)
  if (selfMs !== undefined) {
    add(attributes, 'hotspan.react.self_time', selfMs)
    add(attributes, 'hotspan.react.wasted_time', wasted ? selfMs : 0)
  }
  for (const reason of reasons) add(stats.reasons, reason)
  if (wasted) add(stats.roots, componentName(cascadeRoot!))
}
