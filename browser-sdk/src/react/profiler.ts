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
import { countFor, windowFor } from './commit-window.ts'
import { ours } from './fiber.ts'

const onRender = guard<Parameters<ProfilerOnRenderCallback>, void>((id, phase, actualMs) => {
  if (!view) return
  const window = windowFor(findCause(), actualMs)
  const stats = window.components.get(id) ?? countFor(window, id, actualMs)
  stats.renders++
  if (phase === 'mount') stats.mounts++
  stats.selfMs! += actualMs
})

/** Times a subtree under a name of your own. React calls it in profiling and development builds only. */
export const HotspanProfiler = (props: {
  readonly id: string
  readonly children?: ReactNode
}): ReactElement => createElement(Profiler, { id: props.id, onRender }, props.children)

ours.add(HotspanProfiler)
