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
import { windowFor } from './commit-window.ts'

const onRender = guard<Parameters<ProfilerOnRenderCallback>, void>(
  'profiler',
  (id, phase, actualMs, baseMs) => {
    if (!view) return
    const { profiled } = windowFor(findCause(), phase, actualMs)
    const sum = profiled.get(id) ?? { renders: 0, mounts: 0, actualMs: 0, baseMs: 0 }
    sum.renders++
    if (phase === 'mount') sum.mounts++
    sum.actualMs += actualMs
    sum.baseMs = baseMs
    profiled.set(id, sum)
  },
)

/** Times a subtree under a name of your own. React calls it in profiling and development builds only. */
export const HotspanProfiler = (props: {
  readonly id: string
  readonly children?: ReactNode
}): ReactElement => createElement(Profiler, { id: props.id, onRender }, props.children)
