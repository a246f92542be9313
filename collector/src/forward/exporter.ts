import type { SentBody } from '../receiver/intake.ts'

/** What became of a body: taken, or why not and whether trying again makes sense. */
export type Outcome =
  | 'taken'
  | {
      readonly again: boolean
      readonly reason: string
      /** The receiver asked to be left alone for this long, ms; 0 when it did not. */
      readonly afterMs: number
    }

/** One receiver, over one protocol. Never rejects. */
export interface Exporter {
  send(body: SentBody, signal: AbortSignal): Promise<Outcome>
  close(): void
}

export interface ForwardTarget {
  /**
   * An OTLP receiver: `http://` or `https://` and a base URL, to which `/v1/traces` and its siblings are appended; `grpc://` or
   * `grpcs://` (TLS) and a host.
   */
  readonly url: string
  /** Sent with every request, for example an authorization. */
  readonly headers?: Readonly<Record<string, string>>
}
