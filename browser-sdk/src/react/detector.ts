import { findCause } from '../core/cause.ts'
import { guard } from '../core/guard.ts'
import { nowMs } from '../core/ids.ts'
import { session } from '../core/session.ts'
import { view } from '../core/tracer.ts'
import { addRender, windowFor } from './commit-window.ts'
import type { FiberRoot } from './fiber.ts'
import { walkCommit } from './walk.ts'

/** Our own walk: at most 4 ms a commit and 2 % of ten seconds; what is skipped is counted. */
const MAX_WALK_MS = 4
const BUDGET_MS = 200
const BUDGET_WINDOW_MS = 10_000

interface Renderer {
  /** 1 in development builds. */
  readonly bundleType?: number
  readonly version?: string
}

interface DevToolsHook {
  readonly renderers: Map<number, Renderer>
  inject(renderer: Renderer): number
  onCommitFiberRoot(id: number, root: FiberRoot, priority?: unknown, didError?: boolean): void
}

const renderers = new Map<number, Renderer>()
let budgetStartMs = 0
let spentMs = 0

const phaseOf = ({ current }: FiberRoot): string => {
  const before = current.alternate?.memoizedState as { isDehydrated?: boolean; element?: unknown } | null
  return before?.isDehydrated ? 'hydrate' : before?.element ? 'update' : 'mount'
}

const onCommit = guard('react', (id: number, root: FiberRoot): void => {
  if (!view || !session().sampled) return
  const startMs = nowMs()
  const { version, bundleType } = renderers.get(id) ?? {}
  const { actualDuration } = root.current
  const timed = actualDuration !== undefined
  const window = windowFor(findCause(), phaseOf(root), actualDuration)
  window.version = version
  window.build = bundleType ? 'development' : timed ? 'profiling' : 'production'
  window.commits++
  if (timed) window.renderMs = (window.renderMs ?? 0) + actualDuration
  if (startMs - budgetStartMs > BUDGET_WINDOW_MS) {
    budgetStartMs = startMs
    spentMs = 0
  }
  if (
    spentMs > BUDGET_MS ||
    !walkCommit(
      root,
      (render) => addRender(window, render),
      () => nowMs() - startMs > MAX_WALK_MS,
    )
  )
    window.skipped++
  const walkMs = nowMs() - startMs
  spentMs += walkMs
  window.walkMs += walkMs
})

/** Makes or wraps the hook that React looks for while react-dom is evaluated; DevTools and Fast Refresh keep theirs. */
const install = guard('react', (): void => {
  if (typeof document === 'undefined') return
  const page = globalThis as { __REACT_DEVTOOLS_GLOBAL_HOOK__?: DevToolsHook; HOTSPAN_DISABLED?: unknown }
  // In the profiling build the mere hook turns on React's timers.
  if (page.HOTSPAN_DISABLED) return
  page.__REACT_DEVTOOLS_GLOBAL_HOOK__ ??= {
    renderers: new Map(),
    supportsFiber: true,
    inject(this: DevToolsHook, renderer: Renderer) {
      const id = this.renderers.size + 1
      this.renderers.set(id, renderer)
      return id
    },
    onCommitFiberRoot() {},
    onCommitFiberUnmount() {},
    onPostCommitFiberRoot() {},
    checkDCE() {},
  } as DevToolsHook
  const hook = page.__REACT_DEVTOOLS_GLOBAL_HOOK__
  const { inject, onCommitFiberRoot } = hook
  for (const [id, renderer] of hook.renderers ?? []) renderers.set(id, renderer)
  hook.inject = function (renderer) {
    const id = inject.call(this, renderer)
    renderers.set(id, renderer)
    return id
  }
  hook.onCommitFiberRoot = function (id, root, ...rest) {
    onCommitFiberRoot?.call(this, id, root, ...rest)
    onCommit(id, root)
  }
})

install()
