import type { Store } from '@hotspan/collector'
import type { Run, Sample } from '../run.ts'
import { readRunRecord, readSamples } from './run-folder.ts'

/** Samples per insert: large enough for the engine, small enough for memory. */
const samplesPerInsert = 50_000

export interface ImportResult {
  readonly run: Run
  /** False when the store had this run already; nothing was written then. */
  readonly imported: boolean
  /** Samples written by this call. */
  readonly samples: number
}

/**
 * Fills `hotspan_runs` and `hotspan_run_samples` from a run folder; a second import of the same run changes nothing. The run's own row
 * comes last: an import that was cut off left no run, and repeating it replaces the same numbered samples. Throws `HS_RUN_MISSING` and
 * `HS_RUN_FILE` as `readRun` does.
 */
export async function importRun(store: Store, dir: string): Promise<ImportResult> {
  const run = await readRunRecord(dir)
  if (await hasRun(store, run.id)) return { run, imported: false, samples: 0 }
  let number = 0
  let rows: object[] = []
  const flush = async () => {
    if (rows.length > 0)
      await store.client.insert({ table: 'hotspan_run_samples', values: rows, format: 'JSONEachRow' })
    rows = []
  }
  for await (const sample of readSamples(dir)) {
    rows.push(sampleRow(run.id, number++, sample))
    if (rows.length === samplesPerInsert) await flush()
  }
  await flush()
  await store.client.insert({ table: 'hotspan_runs', values: [runRow(run)], format: 'JSONEachRow' })
  return { run, imported: true, samples: number }
}

async function hasRun(store: Store, id: string): Promise<boolean> {
  const result = await store.client.query({
    query: 'SELECT count() AS n FROM hotspan_runs WHERE id = {id: String}',
    query_params: { id },
    format: 'JSONEachRow',
  })
  const [row] = await result.json<{ n: string | number }>()
  return Number(row?.n ?? 0) > 0
}

function runRow(run: Run): object {
  return {
    schema_version: run.schemaVersion,
    id: run.id,
    kind: run.kind,
    driver: run.driver,
    driver_version: run.driverVersion,
    model: run.model,
    scenario: run.scenario,
    url: run.url,
    started_at_unix_ms: run.startedAtUnixMs,
    warm_up_ms: run.warmUpMs,
    measured_ms: run.measuredMs,
    arrivals: run.arrivals,
    arrivals_per_sec: run.arrivalsPerSec,
    seed: run.seed,
    commit: run.commit,
    branch: run.branch,
    dirty: run.dirty,
    machine_key: run.machineKey,
    config_hash: run.configHash,
    health: JSON.stringify(run.health),
    metrics: JSON.stringify(run.metrics),
    command: run.command,
  }
}

function sampleRow(runId: string, number: number, sample: Sample): object {
  if (sample.type === 'page') {
    const { page, metric, value, unit } = sample
    return { run_id: runId, number, type: 'page', page, metric, value, unit }
  }
  return {
    run_id: runId,
    number,
    type: 'request',
    endpoint: sample.endpoint,
    intended_unix_us: sample.intendedUnixUs,
    sent_unix_us: sample.sentUnixUs,
    duration_us: sample.durationUs,
    status: sample.status,
    bytes: sample.bytes,
    error: sample.error,
    trace_id: sample.traceId,
  }
}
