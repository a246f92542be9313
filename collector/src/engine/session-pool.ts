/** The part of a chdb session that we use. */
export interface EngineSession {
  queryAsync(
    sql: string,
    options: { format: string },
  ): Promise<{ bytes(): Uint8Array; rowsRead: number; bytesRead: number }>
  close(): void
}

/**
 * A connection runs one statement at a time, so there are several. A lease is given back after the native call has really
 * ended, never on a timeout: the library cannot interrupt a call.
 */
export class SessionPool {
  private readonly idle: EngineSession[] = []
  private readonly all: EngineSession[] = []
  private readonly waiting: ((session: EngineSession) => void)[] = []
  private readonly open: () => EngineSession
  private readonly size: number

  constructor(open: () => EngineSession, size: number) {
    this.open = open
    this.size = size
  }

  async lease(): Promise<EngineSession> {
    const session = this.idle.pop()
    if (session !== undefined) return session
    if (this.all.length < this.size) {
      const fresh = this.open()
      this.all.push(fresh)
      return fresh
    }
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  release(session: EngineSession): void {
    const next = this.waiting.shift()
    if (next !== undefined) next(session)
    else this.idle.push(session)
  }

  /** Nobody holds a connection. */
  get isIdle(): boolean {
    return this.idle.length === this.all.length
  }

  get queued(): number {
    return this.waiting.length
  }

  closeAll(): void {
    for (const session of this.all) session.close()
  }
}
