import { randomUUID } from 'node:crypto'
import { open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { ClickHouseClient } from '@clickhouse/client'
import { sqlName, sqlString } from '../engine/query-parameters.ts'
import { migrate } from '../schema/migrations.ts'
import type { RowLayout } from '../schema/row-layout.ts'
import { writeAll } from './write-all.ts'

/** One group of rows for one table. */
export interface RowGroup {
  readonly database: string
  readonly layout: RowLayout
  readonly rows: number
  /** RowBinary. */
  readonly chunks: readonly Uint8Array[]
  /** Two inserts with one token are one insert. */
  readonly token: string
}

/** Where groups of rows go: the embedded engine or a server. */
export interface RowSink {
  insert(group: RowGroup): Promise<void>
}

/** Each UTC day of a group is a part of its own, of each table: so many at once take half a second, thousands more memory than there is. */
export const maxDaysOfGroup = 100

const settings = (token: string, maxDays: number) =>
  `SETTINGS insert_deduplication_token = ${sqlString(token)}, insert_deduplicate = 1, async_insert = 0, deduplicate_blocks_in_dependent_materialized_views = 1, max_partitions_per_insert_block = ${maxDays}`

const target = (group: RowGroup) =>
  `INSERT INTO ${sqlName(group.database)}.${group.layout.table} (${group.layout.columns.map(sqlName).join(', ')})`

/** Makes the database of a project before its first rows: a token may name a project that nobody has sent to yet. */
function databases(client: ClickHouseClient): (database: string) => Promise<void> {
  const ready = new Map<string, Promise<void>>()
  return (database) => {
    let making = ready.get(database)
    if (making === undefined) {
      making = migrate(client, database)
      ready.set(database, making)
      making.catch(() => ready.delete(database))
    }
    return making
  }
}

/**
 * Types of a layout's columns as RowBinary has them, for `file()`. What the table keeps as LowCardinality is read as plain text and
 * converted a column at a time: 5.6 us of CPU a span against 9.9, with the same parts on the disk (`npm run bench -- ingest`).
 */
function structures(client: ClickHouseClient): (group: RowGroup) => Promise<string> {
  const known = new Map<string, string>()
  return async ({ database, layout }) => {
    // A journal of an older version has other columns of the same table.
    const name = [database, layout.table, ...layout.columns].join()
    const before = known.get(name)
    if (before !== undefined) return before
    const answer = await client.query({
      query: `SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String}`,
      query_params: { database, table: layout.table },
      format: 'JSONEachRow',
    })
    const columns = await answer.json<{ name: string; type: string }>()
    const types = new Map(
      columns.map(({ name, type }) => [name, type.replace(/LowCardinality\((\w+)\)/g, '$1')]),
    )
    const structure = layout.columns.map((column) => `${sqlName(column)} ${types.get(column)}`).join(', ')
    known.set(name, structure)
    return structure
  }
}

/** Through a file beside the engine's socket: inline binary inserts are broken in the library. */
export function embeddedSink(client: ClickHouseClient, scratchDir: string): RowSink {
  const prepare = databases(client)
  const structureOf = structures(client)
  return {
    async insert(group) {
      await prepare(group.database)
      const structure = await structureOf(group)
      const path = join(scratchDir, `${randomUUID()}.rows`)
      const file = await open(path, 'wx', 0o600)
      try {
        await writeAll(file, group.chunks)
        await file.close()
        await client.command({
          // One thread reads, so that a second try makes the same blocks.
          query: `${target(group)} SELECT * FROM file(${sqlString(path)}, RowBinary, ${sqlString(structure)}) ${settings(group.token, maxDaysOfGroup)}, max_threads = 1`,
        })
      } finally {
        await file.close().catch(() => undefined)
        await unlink(path).catch(() => undefined)
      }
    },
  }
}

/** `maxDays` is a bound of the days of one group, 0 for none. */
export function serverSink(client: ClickHouseClient, maxDays = maxDaysOfGroup): RowSink {
  const prepare = databases(client)
  return {
    async insert(group) {
      await prepare(group.database)
      const answer = await client.exec({
        // On a cluster the rows are on their shards, with the token, when the insert returns.
        query: `${target(group)} ${settings(group.token, maxDays)}, distributed_foreground_insert = 1 FORMAT RowBinary`,
        values: Readable.from(group.chunks, { objectMode: false }),
      })
      answer.stream.resume()
      await new Promise((resolve, reject) => answer.stream.once('close', resolve).once('error', reject))
    },
  }
}
