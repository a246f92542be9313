import { runQuery } from '../queries/run-query.ts'
import type { Store } from '../store.ts'

/** A build's maps come before its telemetry, and the last visitors of an old build come days after the next. */
export const defaultKeptDays = 30

export interface BuildsKept {
  /** Builds whose maps are in the store, and what those take uncompressed, bytes. */
  readonly builds: number
  readonly bytes: number
  /** Builds that went since the start. */
  readonly dropped: number
}

interface StoredBuildRow {
  readonly buildIds: readonly string[]
  readonly bytes: number
  readonly ageDays: number
}

/**
 * Drops the source maps of builds that were uploaded more than `keptDays` ago and that nothing stored refers to: telemetry goes
 * by its own retention, so what refers to a build is what is kept. Answers with the ids of those that went.
 */
export async function dropUnusedBuilds(store: Store, keptDays: number): Promise<string[]> {
  const dropped: string[] = []
  for (const { buildIds, ageDays } of await storedBuilds(store)) {
    if (ageDays < keptDays || (await isInUse(store, buildIds))) continue
    await store.client.command({
      query: 'ALTER TABLE hotspan_source_maps DELETE WHERE build_ids = {buildIds:Array(String)}',
      query_params: { buildIds: [...buildIds] },
    })
    dropped.push(buildIds[0] ?? '')
  }
  return dropped
}

/** Ends at the first row: a build that is used for long is not looked for in all the telemetry every hour. */
async function isInUse(store: Store, buildIds: readonly string[]): Promise<boolean> {
  for (const table of ['otel_traces', 'otel_logs']) {
    const found = await runQuery(
      store,
      `SELECT 1 FROM ${table} WHERE ResourceAttributes['hotspan.build.id'] IN {buildIds:Array(String)} LIMIT 1`,
      { buildIds },
    )
    if (found.length > 0) return true
  }
  return false
}

function storedBuilds(store: Store): Promise<StoredBuildRow[]> {
  return runQuery<StoredBuildRow>(
    store,
    `SELECT build_ids AS buildIds, toFloat64(sum(length(functions) + length(map))) AS bytes,
  dateDiff('second', max(uploaded_at), now()) / 86400 AS ageDays
FROM hotspan_source_maps GROUP BY build_ids`,
    {},
  )
}

const everyMs = 3_600_000

/** Holds the source maps of an embedded store within its retention, once an hour; a server's are its owner's to keep. */
export class BuildKeeper {
  readonly #keptDays: number
  readonly #onEvent: (event: string) => void
  #kept: BuildsKept = { builds: 0, bytes: 0, dropped: 0 }

  /** `retentionDays` null keeps all telemetry, and with it every build that something refers to. */
  constructor(retentionDays: number | null, onEvent: (event: string) => void) {
    this.#keptDays = retentionDays ?? defaultKeptDays
    this.#onEvent = onEvent
  }

  get figures(): BuildsKept {
    return this.#kept
  }

  /** A job of the collector. */
  get job(): { name: string; everyMs: number; run(store: Store): Promise<void> } {
    return { name: 'source maps', everyMs, run: (store) => this.#keep(store) }
  }

  async #keep(store: Store): Promise<void> {
    const gone = store.mode === 'server' ? [] : await dropUnusedBuilds(store, this.#keptDays)
    for (const id of gone)
      this.#onEvent(
        `dropped the source maps of build ${id}: uploaded ${this.#keptDays} days ago and more, and nothing stored came from it`,
      )
    const builds = await storedBuilds(store)
    this.#kept = {
      builds: builds.length,
      bytes: builds.reduce((sum, { bytes }) => sum + bytes, 0),
      dropped: this.#kept.dropped + gone.length,
    }
  }
}
