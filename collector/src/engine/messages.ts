/** What the parent tells the engine process at its start, as JSON in argv[2]. */
export interface EngineStart {
  readonly chdbPath: string
  readonly storeDir: string
  /** For bodies of inserts that came over HTTP. */
  readonly scratchDir: string
  readonly socketPath: string
  readonly configPath: string
  readonly settings: Readonly<Record<string, string | number>>
  readonly querySessions: number
  readonly insertSessions: number
}

/** What the engine process tells its parent over the IPC channel. */
export type EngineMessage =
  | { readonly type: 'ready'; readonly version: string }
  | { readonly type: 'failed'; readonly message: string; readonly locked: boolean }
