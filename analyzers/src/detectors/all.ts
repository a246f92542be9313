import type { Detector } from '../detector.ts'
import { coldStart } from './cold-start.ts'
import { cpuStarvation } from './cpu-starvation.ts'
import { eventLoopBlock } from './event-loop-block.ts'
import { eventLoopSaturation } from './event-loop-saturation.ts'
import { modelLoad } from './model-load.ts'
import { nPlusOne } from './n-plus-one.ts'
import { serializedCalls } from './serialized-calls.ts'
import { slowQuery } from './slow-query.ts'
import { wastedRenders } from './wasted-renders.ts'

/** Every detector that an analysis runs, in the order of README.md. */
export const detectors: readonly Detector[] = [
  slowQuery,
  nPlusOne,
  serializedCalls,
  eventLoopBlock,
  eventLoopSaturation,
  cpuStarvation,
  wastedRenders,
  modelLoad,
  coldStart,
]
