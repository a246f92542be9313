import type { Store } from '../../collector/dist/index.js'

/** The only number of a one-row answer. */
export async function numberOf(store: Store, query: string): Promise<number> {
  const answer = await store.client.query({ query, format: 'JSONEachRow' })
  return Number(Object.values((await answer.json<Record<string, number>>())[0] ?? { n: Number.NaN })[0])
}

/** Returns when so many rows of `otel_traces` can be queried. */
export async function untilStored(store: Store, spans: number, signal: AbortSignal): Promise<void> {
  while ((await numberOf(store, 'SELECT toFloat64(count()) FROM otel_traces')) < spans) {
    signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Returns when no merge runs. */
export async function untilMerged(store: Store, signal: AbortSignal): Promise<void> {
  for (let quiet = 0; quiet < 4; ) {
    signal.throwIfAborted()
    quiet = (await numberOf(store, 'SELECT toFloat64(count()) FROM system.merges')) === 0 ? quiet + 1 : 0
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

/** Five-minute buckets with a seal. */
export function sealedBuckets(store: Store): Promise<number> {
  return numberOf(
    store,
    `SELECT toFloat64(uniqExact(Bucket)) FROM hotspan_sealed_buckets WHERE Kind = 'bucket'`,
  )
}

/** Returns when every bucket that holds spans has a seal: two to seven minutes after the last span, and a minute after it came. */
export async function untilSealed(store: Store, signal: AbortSignal): Promise<void> {
  const all = await numberOf(
    store,
    'SELECT toFloat64(uniqExact(toStartOfFiveMinutes(Timestamp))) FROM otel_traces',
  )
  while ((await sealedBuckets(store)) < all) {
    signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

/** Bytes on disk of a table's live parts. */
export function tableBytes(store: Store, table: string): Promise<number> {
  return numberOf(
    store,
    `SELECT toFloat64(sum(bytes_on_disk)) FROM system.parts WHERE active AND database = currentDatabase() AND table = '${table}'`,
  )
}
