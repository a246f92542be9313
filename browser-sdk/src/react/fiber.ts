/** The parts of React's fibre (18 and 19) that we read. Nothing here is public API of React: every reader is guarded. */
export interface Fiber {
  readonly tag: number
  readonly flags: number
  /** Those of everything below it that the last commit touched. */
  readonly subtreeFlags: number
  /** A text for elements of the page. */
  readonly type: ComponentType
  readonly elementType: ComponentType
  readonly child: Fiber | null
  readonly sibling: Fiber | null
  readonly return: Fiber | null
  readonly alternate: Fiber | null
  readonly memoizedProps: Props | string | null
  readonly memoizedState: unknown
  readonly updateQueue: { readonly memoCache?: unknown } | null
  readonly dependencies: { readonly firstContext: ContextRead | null } | null
  /** Render time of the whole subtree, ms; profiling and development builds only. */
  readonly actualDuration?: number
  /** Development builds only. */
  readonly _debugOwner?: unknown
}

export interface FiberRoot {
  readonly current: Fiber
}

export type Props = Readonly<Record<string, unknown>>

export type ComponentType = {
  readonly displayName?: string
  readonly name?: string
  /** `memo()` and `lazy()` */
  readonly type?: ComponentType
  /** `forwardRef()` */
  readonly render?: ComponentType
} | null

export interface ContextRead {
  readonly context: { readonly displayName?: string }
  readonly memoizedValue: unknown
  readonly next: ContextRead | null
}

export interface Hook {
  readonly memoizedState: unknown
  /** Set for state, reducers and external stores. */
  readonly queue: unknown
  readonly next: Hook | null
}

export const CLASS = 1
export const HOST_ROOT = 3
export const HOST_TEXT = 6
export const CONTEXT_PROVIDER = 10
export const SUSPENSE = 13
export const MEMO = 14
export const SIMPLE_MEMO = 15

export const PERFORMED_WORK = 1
export const PLACEMENT = 2
export const CHILD_DELETION = 16

/** Our own components, which are nobody's business. */
export const ours = new WeakSet<object>()

/** Components that run code: 0, 1, 11, 15. `MEMO` (14) only wraps another fibre, which is the one to count. */
export const isComponent = (tag: number): boolean => ((0b1000_1000_0000_0011 >> tag) & 1) > 0

/** Those, memo (14) and lazy (16): what a component hands its props to and is not answerable for. */
export const isBoundary = (tag: number): boolean => ((0b1_1100_1000_0000_0011 >> tag) & 1) > 0

/**
 * What a walk looks for: components that ran (1), boundaries that wait for something (update, 4) or that stopped to wait
 * (visibility, 8192). Elements alone, most of a tree, have none of them.
 */
const WORTH_A_VISIT = 8197

export const worthAVisit = ({ flags, subtreeFlags }: Fiber): boolean =>
  ((flags | subtreeFlags) & WORTH_A_VISIT) > 0

/** Was it touched by the last commit? Untouched fibres keep the flags of an older one. */
export const childrenTouched = ({ child, alternate }: Fiber): boolean => child !== alternate?.child

/**
 * A name given, a function's own, that inside of memo and the like; null is the root, text stands for itself. In a build with
 * our plugin it comes with the key by which the source maps know the function.
 */
export const componentName = (type: ComponentType | string): string =>
  typeof type === 'string'
    ? type
    : type
      ? globalThis.HOTSPAN_NAME?.(type) ||
        type.displayName ||
        type.name ||
        componentName(type.type ?? type.render ?? 'Anonymous')
      : '(root)'
