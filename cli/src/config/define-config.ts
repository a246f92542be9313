/** What `hotspan.config.ts` may hold. Every key is optional; flags and `HOTSPAN_*` variables win over the file. */
export interface HotspanConfig {
  /** Project, a database of its own in the store: 1 to 40 of a-z, 0-9 and _; default `default`. */
  readonly project?: string
  /** Directory of the embedded store and of the runs, relative to the configuration file; default `.hotspan`. */
  readonly dataDir?: string
  /** Address that the collector binds to; default `127.0.0.1`. */
  readonly host?: string
  /** OTLP/HTTP port; default 4318, 0 is any free one. */
  readonly otlpHttpPort?: number
  /** OTLP/gRPC port; default 4317 (any free one when `otlpHttpPort` is not 4318), 0 is any free one. */
  readonly otlpGrpcPort?: number
  /** Port of the ClickHouse HTTP interface; not served unless said, 0 is any free one. */
  readonly clickHousePort?: number
  /** In front of `/v1/traces` and its siblings, for example `/otlp`. */
  readonly pathPrefix?: string
  /** OTLP receiver that everything is sent on to; its headers come from `HOTSPAN_FORWARD_HEADERS`. */
  readonly forwardTo?: string
  /** PEM files, relative to the working directory; with both every listener speaks TLS. */
  readonly tlsCert?: string
  readonly tlsKey?: string
  /** Port of the local page and API; default 4319, 0 is any free one. */
  readonly pagePort?: number
  /** Days of telemetry kept besides today; default 30, 0 keeps all. */
  readonly retentionDays?: number
  /** Cap of the tables on disk, gigabytes; default 10, 0 is none. The oldest days go first. */
  readonly maxStoreGb?: number
  readonly analysis?: {
    /** Seconds of a process's life to leave out. */
    readonly warmUpSec?: number
    /** Traces that a finding needs. */
    readonly minTraces?: number
    /** Different minutes that a finding needs. */
    readonly minMinutes?: number
  }
  /** Budgets of `hotspan check`: `p95<=250ms`, `GET /products p99<=400ms`, `error_rate<=0.01`, `lcp<=2500ms`. */
  readonly budgets?: readonly string[]
}

/** Types the configuration; returns it unchanged. */
export const defineConfig = (config: HotspanConfig): HotspanConfig => config
