/** Door `@hotspan/agent`. */
export { type AgentStats, flush, instrument, start, stats, stop } from './agent.ts'
export type { FaultCount } from './faults.ts'
export type { QueueCounts } from './send/batch.ts'
export type { AgentOptions } from './settings.ts'
