import {
  createElement,
  Profiler,
  type ProfilerOnRenderCallback,
  type ReactElement,
  type ReactNode,
} from 'react'
import { findCause } from '../core/cause.ts'
import { guard } from '../core/guard.ts'
import { view } from '../core/tracer.ts'
import { addRender, windowFor } from './commit-window.ts'

const onRender = guard<Parameters<ProfilerOnRenderCallback>, void>((id, phase, actualMs) => {
  if (!view) return
  addRender(windowFor(findCause(), actualMs), id, { mount: phase === 'mount', selfMs: actualMs })
})

/** Times a subtree under a name of your own. React calls it in profiling and development builds only. */
export const HotspanProfiler = (props: {
  readonly id: string
  readonly children?: ReactNode
}): ReactElement => createElement(Profiler, { id: props.id, onRender }, props.children)
