/**
 * A measured run: a folder `.hotspan/runs/ID/` with `run.json` (this record) and `samples.jsonl` (one `Sample` a line), that CI
 * can upload and anybody can import; the tables `hotspan_runs` and `hotspan_run_samples` are filled from it.
 */
export const runSchemaVersion = 1

export interface Run {
  readonly schemaVersion: typeof runSchemaVersion
  /** `run-` + time + random hex. */
  readonly id: string
  readonly kind: 'load' | 'lighthouse'
  readonly driver: string
  readonly driverVersion: string
  /** Load model: `open` (arrivals on a schedule), `closed`, or `page` for Lighthouse. */
  readonly model: 'open' | 'closed' | 'page'
  readonly scenario: string
  readonly url: string
  readonly startedAtUnixMs: number
  readonly warmUpMs: number
  readonly measuredMs: number
  readonly arrivals: 'constant' | 'poisson' | 'none'
  readonly arrivalsPerSec: number
  readonly seed: number
  readonly commit: string
  readonly branch: string
  readonly dirty: boolean
  /** Hash of CPU model, cores, memory, kernel, Node version: runs of another key are history, never compared. */
  readonly machineKey: string
  readonly configHash: string
  /** The generator's own health. */
  readonly health: {
    readonly sent: number
    readonly failed: number
    /** Refused by the bound on open requests; counted as failed too. */
    readonly refused: number
    /** Share of requests sent more than 5 ms after their intended start, 0 to 1. */
    readonly lateShareRatio: number
    readonly generatorCpuMs: number
    readonly voidReason: string
  }
  /** Named figures of the whole run with unit; quantiles come from raw samples. */
  readonly metrics: Readonly<Record<string, Metric>>
  readonly command: readonly string[]
}

export interface Metric {
  readonly value: number
  /** `ms`, `By`, `1`, `{request}`, `{request}/s` ... */
  readonly unit: string
  readonly n: number
}

/** One request, or one page metric of one page load. */
export type Sample =
  | {
      readonly type: 'request'
      readonly endpoint: string
      readonly intendedUnixUs: number
      readonly sentUnixUs: number
      /** From the intended start to the last byte. */
      readonly durationUs: number
      readonly status: number
      readonly bytes: number
      /** Empty when it succeeded. */
      readonly error: string
      readonly traceId: string
    }
  | {
      readonly type: 'page'
      readonly page: string
      readonly metric: string
      readonly value: number
      readonly unit: string
    }
