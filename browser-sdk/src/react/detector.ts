import { add } from '../core/add.ts'
import { findCause } from '../core/cause.ts'
import { guard } from '../core/guard.ts'
import { nowMs } from '../core/ids.ts'
import { session } from '../core/session.ts'
import { view } from '../core/tracer.ts'
import { windowFor } from './commit-window.ts'
import type { FiberRoot } from './fiber.ts'
import { endWaits, noteSuspense } from './suspense.ts'
import { walkCommit } from './walk.ts'

/** Our own walk: at most 4 ms a commit and 2 % of the page's life, 200 ms ahead; what is skipped is counted. */
const MAX_WALK_MS = 4
const BUDGET_MS = 200
const BUDGET_SHARE = 0.02

interface DevToolsHook {
  /** Ours and the DevTools' know the renderers; Fast Refresh's, when it comes first, does not. */
  readonly renderers?: Map<number, { readonly version?: string }>
  onCommitFiberRoot(id: number, root: FiberRoot, ...rest: unknown[]): void
}

const page = globalThis as { __REACT_DEVTOOLS_GLOBAL_HOOK__?: DevToolsHook; HOTSPAN_DISABLED?: unknown }
let spentMs = 0

const onCommit = guard((id: number, { current }: FiberRoot): void => {
  if (!view || !session().sampled) return
  const startMs = nowMs()
  const { actualDuration } = current
  const cause = findCause()
  const window = windowFor(cause, actualDuration)
  const { attributes } = window.span
  const before = current.alternate?.memoizedState as { isDehydrated?: boolean; element?: unknown } | null
  attributes['hotspan.react.phase'] ??= before?.isDehydrated
    ? 'hydrate'
    : before?.element
      ? 'update'
      : 'mount'
  attributes['hotspan.react.version'] = page.__REACT_DEVTOOLS_GLOBAL_HOOK__?.renderers?.get(id)?.version
  attributes['hotspan.react.build'] =
    '_debugOwner' in current ? 'development' : actualDuration === undefined ? 'production' : 'profiling'
  add(attributes, 'hotspan.react.commits', 1)
  if (actualDuration !== undefined) add(attributes, 'hotspan.react.duration', actualDuration)
  const walked =
    spentMs < BUDGET_MS + startMs * BUDGET_SHARE &&
    walkCommit(
      current,
      window,
      (fiber) => noteSuspense(fiber, cause),
      () => nowMs() - startMs > MAX_WALK_MS,
    )
  endWaits('unmount')
  add(attributes, 'hotspan.react.skipped_commits', +!walked)
  const walkMs = nowMs() - startMs
  spentMs += walkMs
  add(attributes, 'hotspan.react.walk_time', walkMs)
})

/** Makes or wraps the hook that React looks for while react-dom is evaluated; DevTools and Fast Refresh keep theirs. */
const install = guard((): void => {
  // In the profiling build the mere hook turns on React's timers.
  if (typeof document === 'undefined' || page.HOTSPAN_DISABLED) return
  const renderers = new Map()
  const nothing = () => {}
  page.__REACT_DEVTOOLS_GLOBAL_HOOK__ ??= {
    renderers,
    supportsFiber: true,
    inject: (renderer: object) => renderers.set(renderers.size + 1, renderer).size,
    onCommitFiberRoot: nothing,
    onCommitFiberUnmount: nothing,
    onPostCommitFiberRoot: nothing,
    checkDCE: nothing,
  } as DevToolsHook
  const hook = page.__REACT_DEVTOOLS_GLOBAL_HOOK__
  const { onCommitFiberRoot } = hook
  hook.onCommitFiberRoot = function (id, root, ...rest) {
    onCommitFiberRoot?.call(this, id, root, ...rest)
    onCommit(id, root)
  }
})

install()
