import type { Store } from '../store.ts'
import { freeBytesAt } from './disk-use.ts'
import { type Dropped, keepWithin, tableBytes } from './keep-within.ts'
import type { StoreLimits } from './limits.ts'

const everyMs = 10_000

/** What the keeper saw last. */
export interface KeeperFigures {
  readonly diskBytes: number
  readonly diskLimitBytes: number | null
  readonly retentionDays: number | null
  readonly diskFreeBytes: number
  readonly droppedBytes: number
}

/** Measures the store every ten seconds, and holds an embedded one within its limits; a server keeps its own (TTL). */
export class StoreKeeper {
  private readonly dataDir: string
  private readonly limits: StoreLimits
  private readonly onEvent: (event: string) => void
  private diskBytes = 0
  private diskFreeBytes = 0
  private droppedBytes = 0
  private toldOver = false

  constructor(options: {
    readonly dataDir: string
    readonly limits: StoreLimits
    readonly onEvent: (event: string) => void
  }) {
    this.dataDir = options.dataDir
    this.limits = options.limits
    this.onEvent = options.onEvent
  }

  get figures(): KeeperFigures {
    const { retentionDays, maxBytes: diskLimitBytes } = this.limits
    const { diskBytes, diskFreeBytes, droppedBytes } = this
    return { diskBytes, diskLimitBytes, retentionDays, diskFreeBytes, droppedBytes }
  }

  /** A job of the collector. */
  get job(): { name: string; everyMs: number; run(store: Store): Promise<void> } {
    return { name: 'disk use', everyMs, run: (store) => this.keep(store) }
  }

  private async keep(store: Store): Promise<void> {
    this.diskFreeBytes = await freeBytesAt(this.dataDir)
    if (store.mode === 'server') {
      this.diskBytes = await databaseBytes(store)
      return
    }
    try {
      for (const drop of await keepWithin(store.client, this.limits)) this.tell(drop)
    } finally {
      this.diskBytes = await tableBytes(store.client).catch(() => this.diskBytes)
    }
    const { maxBytes } = this.limits
    const over = maxBytes !== null && this.diskBytes > maxBytes
    if (over && !this.toldOver) {
      this.onEvent(
        `the tables take ${megabytes(this.diskBytes)} of ${megabytes(maxBytes)} and nothing older can be dropped; raise HOTSPAN_STORE_MAX_GB`,
      )
    }
    this.toldOver = over
  }

  private tell(drop: Dropped): void {
    this.droppedBytes += drop.bytes
    const why = drop.why === 'size' ? 'the store is at its size cap' : 'it is past the retention'
    this.onEvent(`dropped ${drop.what} ${drop.name} of ${drop.table} (${megabytes(drop.bytes)}): ${why}`)
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`

async function databaseBytes(store: Store): Promise<number> {
  const answer = await store.client.query({
    query:
      'SELECT toFloat64(sum(bytes_on_disk)) AS bytes FROM system.parts WHERE database = {database:String}',
    query_params: { database: store.database },
    format: 'JSONEachRow',
  })
  return (await answer.json<{ bytes: number }>())[0]?.bytes ?? 0
}
