import { add } from '../core/add.ts'
import { type CommitWindow, type ComponentStats, countFor } from './commit-window.ts'
import {
  type ComponentType,
  childrenTouched,
  componentName,
  type Fiber,
  isComponent,
  MEMO,
  ours,
  PERFORMED_WORK,
  SIMPLE_MEMO,
  SUSPENSE,
  worthAVisit,
} from './fiber.ts'
import { outputUnchanged, renderCause } from './render-cause.ts'

const CHECK_EVERY = 64
/**
 * In a production build, of many renders of one component in one commit, so many are compared and then one in eight: rows of a list
 * are alike, and the first 64 tell what the others would. With times all are, for those are added up. This and `worthAVisit` made
 * the walks of the page of `npm run bench -- browser-cost` 4.8 ms where they had been 7.5 (median of 7 visits).
 */
const MAX_COMPARED = 64
const COMPARED_ONE_IN = 8

const memoOf = (fiber: Fiber): ComponentStats['memo'] =>
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

let commits = 0

/**
 * Counts every component that ran in the last commit, parents first. A subtree whose `child` is its alternate's was not touched.
 * False when `late` said so before the end.
 */
export const walkCommit = (
  current: Fiber,
  window: CommitWindow,
  onSuspense: (fiber: Fiber) => void,
  late: () => boolean,
): boolean => {
  const commitId = ++commits
  // Iterative, for trees are deep and stacks are not. Of each fibre also the cascade root that it inherits: the nearest rendered
  // component at or above it with a real cause; null: the root itself was rendered again. No pairs, which most of the time went to.
  const fibers = [current]
  const roots: ComponentType[] = [null]
  let seen = 0
  for (let fiber = fibers.pop(); fiber; fiber = fibers.pop()) {
    let cascadeRoot = roots.pop() as ComponentType
    if (!(++seen % CHECK_EVERY) && late()) return false
    const { tag, alternate } = fiber
    // memo() has the name that was given to it, lazy() has none.
    const type = fiber.elementType?.type ? fiber.elementType : fiber.type
    if (isComponent(tag) && fiber.flags & PERFORMED_WORK && !ours.has(type!)) {
      const ownMs = selfMs(fiber)
      const stats = window.components.get(type) ?? countFor(window, type, ownMs, memoOf(fiber))
      stats.renders++
      if (ownMs !== undefined) stats.selfMs! += ownMs
      if (!alternate) {
        stats.mounts++
        cascadeRoot = type
      } else {
        if (stats.commitId !== commitId) {
          stats.commitId = commitId
          stats.commitRenders = 0
        }
        const nth = ++stats.commitRenders!
        if (nth <= MAX_COMPARED || !(nth % COMPARED_ONE_IN) || ownMs !== undefined) {
          const { reasons, real, root } = renderCause(fiber, alternate)
          stats.compared++
          stats.beginsCascade = root
          for (const reason of reasons) add(stats.reasons, reason)
          if (!real && outputUnchanged(fiber)) {
            stats.wasted++
            if (ownMs !== undefined) stats.wastedMs! += ownMs
            add(stats.roots, componentName(cascadeRoot))
          }
        }
        if (stats.beginsCascade) cascadeRoot = type
      }
    }
    if (tag === SUSPENSE) onSuspense(fiber)
    if (childrenTouched(fiber))
      for (let child = fiber.child; child; child = child.sibling)
        if (worthAVisit(child)) {
          fibers.push(child)
          roots.push(cascadeRoot)
        }
  }
  return true
}
