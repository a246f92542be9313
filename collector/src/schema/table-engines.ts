/** How tables are made: plain on one machine, replicated within a shard on a cluster. */
export interface TableEngines {
  readonly mergeTree: string
  readonly replacingMergeTree: (version: string) => string
}

export const singleMachine: TableEngines = {
  mergeTree: 'MergeTree',
  replacingMergeTree: (version) => `ReplacingMergeTree(${version})`,
}

// The server's own default, written out: it fills the macros in from its configuration.
const replica = `'/clickhouse/tables/{uuid}/{shard}', '{replica}'`

export const replicated: TableEngines = {
  mergeTree: `ReplicatedMergeTree(${replica})`,
  replacingMergeTree: (version) => `ReplicatedReplacingMergeTree(${replica}, ${version})`,
}
