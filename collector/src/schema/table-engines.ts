/** How tables are made: plain on one machine; a cluster mode gives replicated engines and a cluster clause instead. */
export interface TableEngines {
  readonly mergeTree: string
  readonly replacingMergeTree: (version: string) => string
}

export const singleMachine: TableEngines = {
  mergeTree: 'MergeTree',
  replacingMergeTree: (version) => `ReplacingMergeTree(${version})`,
}
