export { LoadtestsError } from './errors.ts'
export { generateLoad, type LoadResult, lateMs } from './generator/generate-load.ts'
export { countedLatenciesUs, type RequestSample } from './generator/load-metrics.ts'
export type { LoadOptions, LoadProgress } from './generator/load-options.ts'
export type { Random } from './generator/random.ts'
export { createRandom } from './generator/random.ts'
export type { Body, Endpoint, Scenario } from './generator/scenario.ts'
export {
  type Arrivals,
  type PlannedRequest,
  planRequests,
  type ScheduleOptions,
} from './generator/schedule.ts'
export { isLoopback } from './generator/target.ts'
export { findChrome } from './lighthouse/chromium-process.ts'
export type { FormFactor } from './lighthouse/lighthouse-settings.ts'
export { type LighthouseOptions, type LighthouseResult, runLighthouse } from './lighthouse/run-lighthouse.ts'
export { type Metric, type Run, runSchemaVersion, type Sample } from './run.ts'
export { configHash } from './runs/config-hash.ts'
export { type GitFacts, gitFacts } from './runs/git-facts.ts'
export { type ImportResult, importRun } from './runs/import-run.ts'
export { listRuns, type RunScope, runSamples } from './runs/list-runs.ts'
export { machineKey } from './runs/machine-key.ts'
export {
  listRunFolders,
  readRun,
  readRunRecord,
  readSamples,
  runFolder,
  writeRun,
} from './runs/run-folder.ts'
export { newRunId } from './runs/run-id.ts'
export { harrellDavis } from './statistics/harrell-davis.ts'
