import {
  type ComponentType,
  childrenTouched,
  type Fiber,
  isComponent,
  MEMO,
  PERFORMED_WORK,
  SIMPLE_MEMO,
  SUSPENSE,
  worthAVisit,
} from './fiber.ts'
import { outputUnchanged, type RenderCause, renderCause } from './render-cause.ts'

export interface Render {
  readonly memo?: 'none' | 'memo' | 'compiler'
  readonly mount: boolean
  /** Its cause and output were looked at. */
  readonly compared?: boolean
  readonly reasons?: readonly string[] | undefined
  readonly wasted?: boolean | undefined
  /** Nearest rendered component at or above with a real cause; null: the root itself was rendered again. */
  readonly cascadeRoot?: ComponentType
  /** Own render time, ms; undefined in production builds. */
  readonly selfMs: number | undefined
}

const CHECK_EVERY = 64
/**
 * In a production build, of many renders of one component in one commit, so many are compared and then one in eight: rows of a list
 * are alike, and the first 64 tell what the others would. With times all are, for those are added up. This and `worthAVisit` made
 * the walks of the page of `npm run bench -- browser-cost` 4.8 ms where they had been 7.5 (median of 7 visits).
 */
const MAX_COMPARED = 64
const COMPARED_ONE_IN = 8

const memoOf = (fiber: Fiber): Render['memo'] =>
  fiber.updateQueue?.memoCache
    ? 'compiler'
    : fiber.tag === SIMPLE_MEMO || fiber.return?.tag === MEMO
      ? 'memo'
      : 'none'

const selfMs = (fiber: Fiber): number | undefined => {
  let ms = fiber.actualDuration
  if (ms === undefined) return
  if (childrenTouched(fiber))
    for (let child = fiber.child; child; child = child.sibling) ms -= child.actualDuration!
  return Math.max(0, ms)
}

/**
 * Every component that ran in the last commit, parents first. A subtree whose `child` is its alternate's was not touched.
 * False when `late` said so before the end.
 */
export const walkCommit = (
  current: Fiber,
  visit: (type: ComponentType, render: Render) => void,
  onSuspense: (fiber: Fiber) => void,
  late: () => boolean,
): boolean => {
  // Iterative, for trees are deep and stacks are not. Beside each fibre: the cascade root it inherits.
  const stack: [Fiber, ComponentType][] = [[current, null]]
  // Of each component: its renders so far, and whether the last one that was compared began a cascade.
  const known = new Map<ComponentType, { n: number; isRoot?: boolean }>()
  let seen = 0
  for (let next = stack.pop(); next; next = stack.pop()) {
    let [fiber, cascadeRoot] = next
    if (!(++seen % CHECK_EVERY) && late()) return false
    const { tag, flags, alternate } = fiber
    if (isComponent(tag) && flags & PERFORMED_WORK) {
      // memo() has the name that was given to it, lazy() has none.
      const type = fiber.elementType?.type ? fiber.elementType : fiber.type
      const ownMs = selfMs(fiber)
      let cause: RenderCause | undefined
      if (!alternate) cascadeRoot = type
      else {
        const own = known.get(type) ?? { n: 0 }
        known.set(type, own)
        if (++own.n <= MAX_COMPARED || !(own.n % COMPARED_ONE_IN) || ownMs !== undefined) {
          cause = renderCause(fiber, alternate)
          own.isRoot = cause.root
        }
        if (own.isRoot) cascadeRoot = type
      }
      visit(type, {
        memo: memoOf(fiber),
        mount: !alternate,
        compared: !!cause,
        reasons: cause?.reasons,
        wasted: cause?.real === false && outputUnchanged(fiber),
        cascadeRoot,
        selfMs: ownMs,
      })
    }
    if (tag === SUSPENSE) onSuspense(fiber)
    if (childrenTouched(fiber))
      for (let child = fiber.child; child; child = child.sibling)
        if (worthAVisit(child)) stack.push([child, cascadeRoot])
  }
  return true
}
