import type { Store } from '@hotspan/collector'
import type { Run, Sample } from '../run.ts'
import { parseRun, parseSample } from './run-schema.ts'

export interface RunScope {
  /** Start of the run, epoch ms, both included. */
  readonly fromMs: number
  readonly toMs: number
}

type Row = Readonly<Record<string, unknown>>

/** The imported runs that started in a time range, oldest first. Names its range, as every query of the store does. */
export async function listRuns(store: Store, scope: RunScope): Promise<Run[]> {
  const result = await store.client.query({
    query: `SELECT * EXCEPT (started_at_unix_ms, seed, imported_at),
  toFloat64(started_at_unix_ms) AS started, toFloat64(seed) AS seed_number
FROM hotspan_runs FINAL
WHERE started_at_unix_ms BETWEEN {fromMs: Int64} AND {toMs: Int64}
ORDER BY started_at_unix_ms, id`,
    query_params: { fromMs: Math.floor(scope.fromMs), toMs: Math.ceil(scope.toMs) },
    format: 'JSONEachRow',
  })
  return (await result.json<Row>()).map(runOfRow)
}

/** The samples of one imported run, in the order they were recorded. */
export async function runSamples(store: Store, runId: string): Promise<Sample[]> {
  const result = await store.client.query({
    query: `SELECT number, type, endpoint, intended_unix_us AS intendedUnixUs, sent_unix_us AS sentUnixUs,
  duration_us AS durationUs, status, toFloat64(bytes) AS bytes, error, trace_id AS traceId, page, metric, value, unit
FROM hotspan_run_samples FINAL
WHERE run_id = {runId: String}
ORDER BY number`,
    query_params: { runId },
    format: 'JSONEachRow',
  })
  const rows = await result.json<Row>()
  return rows.map((row) =>
    parseSample(row, `hotspan_run_samples, run ${runId}, number ${String(row.number)}`),
  )
}

/** Back through the same check as a file: the table may have been filled by another version. */
function runOfRow(row: Row): Run {
  const value = {
    schemaVersion: row.schema_version,
    id: row.id,
    kind: row.kind,
    driver: row.driver,
    driverVersion: row.driver_version,
    model: row.model,
    scenario: row.scenario,
    url: row.url,
    startedAtUnixMs: row.started,
    warmUpMs: row.warm_up_ms,
    measuredMs: row.measured_ms,
    arrivals: row.arrivals,
    arrivalsPerSec: row.arrivals_per_sec,
    seed: row.seed_number,
    commit: row.commit,
    branch: row.branch,
    dirty: row.dirty,
    machineKey: row.machine_key,
    configHash: row.config_hash,
    health: jsonOf(row.health),
    metrics: jsonOf(row.metrics),
    command: row.command,
  }
  return parseRun(value, `hotspan_runs, ${String(row.id)}`)
}

function jsonOf(value: unknown): unknown {
  try {
    return JSON.parse(String(value))
  } catch {
    return value
  }
}
