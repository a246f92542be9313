/** The parts of React's fibre (18 and 19) that we read. Nothing here is public API of React: every reader is guarded. */
export interface Fiber {
  readonly tag: number
  readonly flags: number
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
  readonly prototype?: { readonly isPureReactComponent?: boolean }
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

export const FUNCTION = 0
export const CLASS = 1
export const HOST_TEXT = 6
export const CONTEXT_PROVIDER = 10
export const FORWARD_REF = 11
export const SUSPENSE = 13
export const MEMO = 14
export const SIMPLE_MEMO = 15
export const LAZY = 16

export const PERFORMED_WORK = 1
export const PLACEMENT = 2
export const CHILD_DELETION = 16

/** 5: elements; 26, 27: hoisted and singleton elements (head, body). */
export const isHost = (tag: number): boolean => tag === 5 || tag === 26 || tag === 27

/** Components that run code. `MEMO` only wraps another fibre, which is the one to count. */
export const isComponent = (tag: number): boolean =>
  tag <= CLASS || tag === FORWARD_REF || tag === SIMPLE_MEMO

/** Was it touched by the last commit? Untouched fibres keep the flags of an older one. */
export const childrenTouched = ({ child, alternate }: Fiber): boolean => child !== alternate?.child

export const componentName = (type: ComponentType): string =>
  type?.displayName || type?.name || (type && componentName(type.type ?? type.render ?? null)) || 'Anonymous'
