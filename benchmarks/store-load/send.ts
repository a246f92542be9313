import { Pool } from 'undici'

/** Sends bodies over so many connections; a server that asks to come again gets the body again. */
export class Sender {
  private readonly pool: Pool
  private readonly connections: number
  /** ms from the first byte to the whole answer of every acknowledged body, when asked for. */
  readonly latenciesMs: number[] = []
  refusals = 0

  constructor(url: string, connections = 8) {
    this.pool = new Pool(url, { connections, pipelining: 1 })
    this.connections = connections
  }

  /** Everything that `next` gives until it gives null. Rejects on an answer that is neither success nor "come again". */
  async sendAll(
    next: () => { readonly bytes: Buffer } | null,
    options: {
      gzip?: boolean
      signal?: AbortSignal
      latencies?: boolean
      /** ms to wait before the next body; at most 0 is now. */
      paceMs?: () => number
    } = {},
  ): Promise<void> {
    const headers: Record<string, string> = { 'content-type': 'application/x-protobuf' }
    if (options.gzip) headers['content-encoding'] = 'gzip'
    const worker = async () => {
      for (let body = next(); body !== null; body = next()) {
        const waitMs = options.paceMs?.() ?? 0
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
        for (;;) {
          options.signal?.throwIfAborted()
          const startedMs = performance.now()
          const answer = await this.pool.request({
            method: 'POST',
            path: '/v1/traces',
            headers,
            body: body.bytes,
          })
          const text = await answer.body.text()
          if (answer.statusCode === 200) {
            if (options.latencies) this.latenciesMs.push(performance.now() - startedMs)
            break
          }
          if (answer.statusCode !== 429 && answer.statusCode !== 503)
            throw new Error(`the receiver answered ${answer.statusCode}: ${text.slice(0, 200)}`)
          this.refusals += 1
          await new Promise((resolve) => setTimeout(resolve, 200))
        }
      }
    }
    await Promise.all(Array.from({ length: this.connections }, worker))
  }

  close(): Promise<void> {
    return this.pool.destroy()
  }
}
