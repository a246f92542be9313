const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

/** What describes the engine and the asker's own tables; the engine itself leaves out what a role may not see. */
export const openSystemTables = words(`
  aggregate_function_combinators codecs collations columns data_skipping_indices data_type_families databases dictionaries formats functions
  keywords numbers numbers_mt one parts parts_columns projections settings table_engines table_functions tables time_zones zeros zeros_mt`)

/** What tells of others' statements, of the machine or of the configuration; a test compares both lists with the engine's. */
export const closedSystemTables = words(`
  asynchronous_inserts asynchronous_loader asynchronous_metrics azure_queue_metadata_cache azure_queue_settings background_schedule_pool
  backups build_options certificates clusters completions constraints contributors current_roles dashboards data_skipping_index_types
  database_engines database_replicas detached_parts detached_tables dictionary_layouts dictionary_sources dimensional_metrics
  disk_types disks distributed_ddl_queue distribution_queue dns_cache documentation dropped_tables dropped_tables_parts enabled_roles
  errors events fail_points filesystem_cache filesystem_cache_settings grants graphite_retentions histogram_metrics
  hypothetical_indexes iceberg_files iceberg_history jemalloc_bins jemalloc_profile_text jemalloc_stats kafka_consumers licenses
  macros masking_policies merge_tree_settings merges metrics models moves mutations named_collections part_moves_between_shards
  primes privileges processes projection_parts projection_parts_columns query_cache query_condition_cache quota_limits quota_usage
  quotas quotas_usage remote_data_paths replicas replicated_fetches replicated_merge_tree_settings replication_queue resources
  rocksdb role_grants roles row_policies s3_queue_settings s3queue_metadata_cache scheduler schema_inference_cache server_settings
  settings_changes settings_profile_elements settings_profiles stack_trace storage_policies symbols tokenizers unicode
  user_defined_functions user_directories user_processes users view_refreshes warnings workloads`)
