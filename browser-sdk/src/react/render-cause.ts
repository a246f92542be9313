import {
  CHILD_DELETION,
  CLASS,
  CONTEXT_PROVIDER,
  type ContextRead,
  childrenTouched,
  type Fiber,
  HOST_TEXT,
  type Hook,
  isBoundary,
  PLACEMENT,
  type Props,
  SUSPENSE,
} from './fiber.ts'
import { gaveUp, sameValue } from './same-value.ts'

export interface RenderCause {
  /** `state`, `ctx:T`, `prop:x` are real; `ref:x`, `ref:ctx:T` (equal by value) and `parent` are not; `unknown` is not judged. */
  readonly reasons: readonly string[]
  readonly real: boolean
  /** Did it begin here? Elements that a parent made anew are a change, yet the parent's doing. */
  readonly root: boolean
}

const STATE: RenderCause = { reasons: ['state'], real: true, root: true }
const PARENT: RenderCause = { reasons: ['parent'], real: false, root: false }
/** forceUpdate, `use`, retries: not ours to judge. */
const UNKNOWN: RenderCause = { reasons: ['unknown'], real: true, root: true }

const stateChanged = (fiber: Fiber, before: Fiber): boolean => {
  if (fiber.tag === CLASS) return fiber.memoizedState !== before.memoizedState
  let old = before.memoizedState as Hook | null
  for (let hook = fiber.memoizedState as Hook | null; hook && old; hook = hook.next, old = old.next)
    // A hook without a queue that holds a plain value is a deferred one; the others hold objects (memo, ref, effect).
    if (
      (hook.queue || typeof hook.memoizedState !== 'object') &&
      !Object.is(hook.memoizedState, old.memoizedState)
    )
      return true
  return false
}

/** Why a component that had rendered before did so again: state, context, prop by value, by identity only, parent. First match. */
export const renderCause = (fiber: Fiber, before: Fiber): RenderCause => {
  if (stateChanged(fiber, before)) return STATE
  const byValue: string[] = []
  const byIdentity: string[] = []
  let root = false
  const differ = (prefix: string, name: string, old: unknown, now: unknown) => {
    if (sameValue(old, now)) byIdentity.push(`ref:${name}`)
    else {
      byValue.push(prefix + name)
      // Where the comparison gave up nothing is known to have changed: it began further up.
      root ||= !sameValue(old, now, true) && !gaveUp()
    }
  }
  for (let read = fiber.dependencies?.firstContext; read; read = read.next) {
    let old: ContextRead | null | undefined = before.dependencies?.firstContext
    while (old && old.context !== read.context) old = old.next
    if (old && !Object.is(old.memoizedValue, read.memoizedValue))
      differ('', `ctx:${read.context.displayName ?? 'Context'}`, old.memoizedValue, read.memoizedValue)
  }
  const now = fiber.memoizedProps as Props
  const old = before.memoizedProps as Props
  // The very same props object: no parent made a new element.
  if (now !== old && !byValue.length) {
    for (const name in now) if (!Object.is(old[name], now[name])) differ('prop:', name, old[name], now[name])
    for (const name in old) if (!(name in now)) differ('prop:', name, old[name], undefined)
  }
  if (byValue.length) return { reasons: byValue, real: true, root }
  if (byIdentity.length) return { reasons: byIdentity, real: false, root }
  return now === old ? UNKNOWN : PARENT
}

const hostPropsEqual = (after: Props, before: Props): boolean => {
  for (const key in after)
    if (
      // Children that are elements have fibres of their own; text has not.
      !(key === 'children' && typeof after[key] === 'object' && typeof before[key] === 'object') &&
      !sameValue(before[key], after[key], true)
    )
      return false
  for (const key in before) if (!(key in after)) return false
  return true
}

/**
 * Is what a component returned the same as before? Compares elements and texts down to the next components, and the props
 * handed to those. React 18 does not flag changed elements, so nothing is taken from flags but moves and deletions.
 */
export const outputUnchanged = (fiber: Fiber): boolean => {
  if (fiber.flags & CHILD_DELETION) return false
  if (!childrenTouched(fiber)) return true
  for (let child = fiber.child; child; child = child.sibling) {
    const { tag, alternate, memoizedProps, memoizedState } = child
    if (!alternate || child.flags & PLACEMENT) return false
    const after = memoizedProps as Props
    const before = alternate.memoizedProps as Props
    const component = isBoundary(tag)
    if (
      (after !== before &&
        (tag === HOST_TEXT ||
          (component && !sameValue(before, after, true)) ||
          (typeof child.type === 'string' && !hostPropsEqual(after, before)) ||
          (tag === CONTEXT_PROVIDER && !sameValue(before.value, after.value)))) ||
      (tag === SUSPENSE && !memoizedState !== !alternate.memoizedState) ||
      (!component && !outputUnchanged(child))
    )
      return false
  }
  // A component that now returns nothing leaves a deletion, seen above.
  return true
}
