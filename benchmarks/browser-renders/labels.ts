/** Renders of a component at one click: those in vain, and those with a reason. */
export interface Label {
  readonly wasted: number
  readonly needed: number
}

const wasted = (count = 1): Label => ({ wasted: count, needed: 0 })
const needed = (count = 1): Label => ({ wasted: 0, needed: count })
const still: Label = { wasted: 0, needed: 0 }

/** By the names of page.tsx. Mounts are judged by nobody: `NeedNewKey` must not be called wasted, and that is all. */
export const labels: Readonly<Record<string, Label>> = {
  WasteNoProps: wasted(),
  WasteNested: wasted(),
  WasteInlineObject: wasted(),
  WasteInlineArray: wasted(),
  WasteInlineFunction: wasted(),
  WasteDeepObject: wasted(),
  WasteTextChildren: wasted(),
  WasteForwardRef: wasted(),
  WasteClass: wasted(),
  WasteHooks: wasted(),
  WasteFragment: wasted(),
  WasteNothing: wasted(),
  WasteMemoObject: wasted(),
  WasteMemoFunction: wasted(),
  WasteContext: wasted(),
  WasteMemoContext: wasted(),
  WasteKeyedRow: wasted(3),
  MixedRow: { wasted: 1, needed: 1 },
  WasteLazyInner: wasted(),
  WasteCompiled: wasted(),
  StillMemo: still,
  StillCompare: still,
  StillCompiledChild: still,
  StillHoisted: still,
  NeedCompiled: needed(),
  NeedProp: needed(),
  NeedObject: needed(),
  NeedDeepObject: needed(),
  NeedElement: needed(),
  NeedRenderProp: needed(),
  NeedImpure: needed(),
  NeedNewKey: still,
  NeedContext: needed(),
  NeedConditional: needed(),
  NeedStore: needed(),
  NeedReducer: needed(),
  NeedClassState: needed(),
  NeedWrapper: needed(),
  PropsParent: needed(),
  MemoParent: needed(),
  NeedParent: needed(),
}
