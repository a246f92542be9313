/** Door `@hotspan/agent`. */
export { type AgentStats, instrument, start, stats, stop } from './agent.ts'
export type { FaultCount } from './faults.ts'
export type { SpanCounts } from './send/span-queue.ts'
export type { AgentOptions } from './settings.ts'
