import { totalmem } from 'node:os'
import { memoryLimits } from '../keeping/limits.ts'

/** Memory of the engine in bytes: HOTSPAN_ENGINE_MEMORY_MB, else a quarter of the machine within 512 MiB and 1 GiB. */
export function engineMemoryBytes(): number {
  return (
    memoryLimits().engineBytes ?? Math.min(Math.max(totalmem() / 4, 512 * 1024 * 1024), 1024 * 1024 * 1024)
  )
}

/** Server configuration that can only be given as a file. The engine's own defaults take 90 % of the memory and a 5 GB cache. */
export function engineConfigXml(
  usersPath: string,
  memoryBytes: number,
  maxMergedBytes: number,
  sync = process.env.HOTSPAN_FSYNC === '1',
): string {
  // With HOTSPAN_FSYNC=1 a journal segment may go only when the part it became is on the disk, and so may a merged part's sources.
  const mergeTree = sync
    ? '<fsync_after_insert>1</fsync_after_insert><fsync_part_directory>1</fsync_part_directory><min_rows_to_fsync_after_merge>1</min_rows_to_fsync_after_merge>'
    : ''
  return `<clickhouse>
  <users_config>${usersPath}</users_config>
  <max_server_memory_usage>${Math.floor(memoryBytes)}</max_server_memory_usage>
  <mark_cache_size>${64 * 1024 * 1024}</mark_cache_size>
  <primary_index_cache_size>${32 * 1024 * 1024}</primary_index_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <index_mark_cache_size>0</index_mark_cache_size>
  <query_cache><max_size_in_bytes>0</max_size_in_bytes></query_cache>
  <mmap_cache_size>0</mmap_cache_size>
  <background_pool_size>2</background_pool_size>
  <background_schedule_pool_size>2</background_schedule_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <max_partition_size_to_drop>0</max_partition_size_to_drop>
  <backups><allowed_path>/</allowed_path></backups>
  <merge_tree><max_bytes_to_merge_at_max_space_in_pool>${Math.floor(maxMergedBytes)}</max_bytes_to_merge_at_max_space_in_pool>${mergeTree}</merge_tree>
</clickhouse>
`
}

/** Settings of every connection; a query may lower or raise them in its own `clickhouse_settings`. */
export function engineSettings(memoryBytes: number): Record<string, string | number> {
  return {
    // Each insert is already a group; a second buffer would break "acknowledged is inserted".
    async_insert: 0,
    insert_deduplicate: 1,
    deduplicate_blocks_in_dependent_materialized_views: 1,
    max_memory_usage: Math.floor(memoryBytes * 0.75),
    max_execution_time: 60,
    max_result_bytes: 256 * 1024 * 1024,
    // Lists of trace ids travel as constants inside the statement.
    max_query_size: 32 * 1024 * 1024,
    output_format_json_quote_64bit_integers: 1,
  }
}
