import {
  CHILD_DELETION,
  CLASS,
  CONTEXT_PROVIDER,
  type ContextRead,
  childrenTouched,
  type Fiber,
  HOST_TEXT,
  type Hook,
  isComponent,
  isHost,
  LAZY,
  MEMO,
  PLACEMENT,
  type Props,
  SUSPENSE,
} from './fiber.ts'
import { sameValue } from './same-value.ts'

export interface RenderCause {
  /** `state`, `ctx:T`, `prop:x` are real; `ref:x`, `ref:ctx:T` (equal by value) and `parent` are not; `unknown` is not judged. */
  readonly reasons: readonly string[]
  readonly real: boolean
  /** Did it begin here? Elements that a parent made anew are a change, yet the parent's doing. */
  readonly root: boolean
}

type Change = { readonly name: string; readonly equal: boolean; readonly inherited: boolean }

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

const change = (name: string, before: unknown, after: unknown): Change => ({
  name,
  equal: sameValue(before, after),
  inherited: sameValue(before, after, true),
})

const changedContexts = (fiber: Fiber, before: Fiber): Change[] => {
  const changed: Change[] = []
  for (let read = fiber.dependencies?.firstContext; read; read = read.next) {
    let old: ContextRead | null | undefined = before.dependencies?.firstContext
    while (old && old.context !== read.context) old = old.next
    if (old && !Object.is(old.memoizedValue, read.memoizedValue))
      changed.push(
        change(`ctx:${read.context.displayName ?? 'Context'}`, old.memoizedValue, read.memoizedValue),
      )
  }
  return changed
}

const changedProps = (after: Props, before: Props): Change[] =>
  Object.keys({ ...before, ...after })
    .filter((name) => !Object.is(after[name], before[name]))
    .map((name) => change(name, before[name], after[name]))

/** Why a component that had rendered before did so again: state, context, prop by value, by identity only, parent. First match. */
export const renderCause = (fiber: Fiber, before: Fiber): RenderCause => {
  if (stateChanged(fiber, before)) return { reasons: ['state'], real: true, root: true }
  const contexts = changedContexts(fiber, before)
  const props = changedProps(fiber.memoizedProps as Props, before.memoizedProps as Props)
  for (const [prefix, changes] of [
    ['', contexts],
    ['prop:', props],
  ] as const) {
    const byValue = changes.filter(({ equal }) => !equal)
    if (byValue.length)
      return {
        reasons: byValue.map(({ name }) => prefix + name),
        real: true,
        root: byValue.some(({ inherited }) => !inherited),
      }
  }
  const byIdentity = [...contexts, ...props].map(({ name }) => `ref:${name}`)
  // The very same props object: no parent made a new element. forceUpdate, `use`, retries: not ours to judge.
  const unknown = fiber.memoizedProps === before.memoizedProps && !byIdentity.length
  return {
    reasons: byIdentity.length ? byIdentity : [unknown ? 'unknown' : 'parent'],
    real: unknown,
    root: unknown,
  }
}

const hostPropsEqual = (after: Props, before: Props): boolean =>
  Object.keys({ ...before, ...after }).every(
    (key) =>
      // Children that are elements have fibres of their own; text has not.
      (key === 'children' && typeof after[key] === 'object' && typeof before[key] === 'object') ||
      sameValue(before[key], after[key], true),
  )

/**
 * Is what a component returned the same as before? Compares elements and texts down to the next components, and the props
 * handed to those. React 18 does not flag changed elements, so nothing is taken from flags but moves and deletions.
 */
export const outputUnchanged = (fiber: Fiber): boolean => {
  if (fiber.flags & CHILD_DELETION) return false
  if (!childrenTouched(fiber)) return true
  for (let child = fiber.child; child; child = child.sibling) {
    const { tag, alternate, memoizedProps } = child
    if (!alternate || child.flags & PLACEMENT) return false
    const before = alternate.memoizedProps
    if (memoizedProps !== before) {
      if (tag === HOST_TEXT) return false
      const [after, old] = [memoizedProps as Props, before as Props]
      if (isComponent(tag) || tag === MEMO || tag === LAZY) {
        if (!sameValue(old, after, true)) return false
      } else if (isHost(tag)) {
        if (!hostPropsEqual(after, old)) return false
      } else if (tag === CONTEXT_PROVIDER && !sameValue(old.value, after.value)) return false
    }
    if (tag === SUSPENSE && !child.memoizedState !== !alternate.memoizedState) return false
    if (!isComponent(tag) && tag !== MEMO && tag !== LAZY && !outputUnchanged(child)) return false
  }
  // A component that now returns nothing leaves a deletion, seen above.
  return true
}
