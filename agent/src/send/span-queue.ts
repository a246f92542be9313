import { ByteWriter } from '@hotspan/otlp/wire'
import type { AgentSpan } from '../core/span.ts'
import { CHUNK_BYTES, type SpanChunk, SpanEncoder } from '../encode/span-encoder.ts'
import type { Batch, BatchQueue, QueueCounts } from './batch.ts'

/** Chunks are reused once the batch is gone. */
interface SpanBatch extends Batch {
  readonly chunks: readonly SpanChunk[]
}

interface OpenScope {
  /** `ScopeSpans.scope` field. */
  readonly head: Uint8Array
  chunk: SpanChunk | null
  spans: number
}

interface SealedChunk {
  readonly scope: OpenScope
  readonly chunk: SpanChunk
  readonly spans: number
}

/** Scopes beyond this share the last one's place: a name per request would otherwise fill memory. */
const MAX_SCOPES = 64
/** Chunks kept for reuse: a batch of the usual size on its way, and the next one filling. */
const SPARE_CHUNKS = 8
/** A request is not made larger than this, bytes before compression. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024

/**
 * Ended spans, encoded at once, in chunks by scope. Bounded by bytes and by count; what does not fit is dropped and counted,
 * the newest first, because what waits is about to be sent.
 */
export class SpanQueue implements BatchQueue<SpanBatch> {
  readonly noun = 'spans'
  readonly counts: QueueCounts = { made: 0, sent: 0, failed: 0, dropped: 0, queued: 0 }
  private readonly scopes: OpenScope[] = []
  private readonly scopeIndexes = new Map<string, number>()
  private sealed: SealedChunk[] = []
  private spare: SpanChunk[] = []
  private readonly encoder: SpanEncoder
  private resource: Uint8Array
  private readonly maxBytes: number
  private readonly maxSpans: number
  private readonly batchSpans: number
  private readonly wake: (full: boolean) => void
  private queuedBytes = 0
  waiting = 0
  private writing: OpenScope | null = null

  /** `wake` is told of the first waiting span (`false`) and when a batch is full (`true`). */
  constructor(
    resource: Uint8Array,
    limits: { maxBytes: number; maxSpans: number; batchSpans: number },
    wake: (full: boolean) => void,
  ) {
    this.resource = resource
    this.maxBytes = limits.maxBytes
    this.maxSpans = limits.maxSpans
    this.batchSpans = limits.batchSpans
    this.wake = wake
    this.encoder = new SpanEncoder((full, wantedBytes) => {
      this.seal(this.writing!, full)
      return wantedBytes <= CHUNK_BYTES ? this.emptyChunk() : { bytes: new Uint8Array(wantedBytes), at: 0 }
    })
  }

  /** Number under which spans of this scope are kept. */
  scopeIndex(name: string, version: string): number {
    const key = `${name}@${version}`
    const known = this.scopeIndexes.get(key)
    if (known !== undefined) return known
    if (this.scopes.length >= MAX_SCOPES) return MAX_SCOPES - 1
    const writer = new ByteWriter(64)
    writer.message(1, () => {
      writer.stringField(1, name.slice(0, 1024))
      writer.stringField(2, version.slice(0, 256))
    })
    this.scopes.push({ head: writer.finish(), chunk: null, spans: 0 })
    this.scopeIndexes.set(key, this.scopes.length - 1)
    return this.scopes.length - 1
  }

  /** Encodes an ended span, or drops it when the queue is full. */
  add(span: AgentSpan): void {
    const { counts } = this
    counts.made++
    if (this.queuedBytes >= this.maxBytes || counts.queued >= this.maxSpans) {
      counts.dropped++
      return
    }
    const scope = this.scopes[span.scope] ?? this.scopes[0]!
    this.writing = scope
    const before = scope.chunk ?? this.emptyChunk()
    const at = before.at
    let after: SpanChunk
    try {
      after = this.encoder.write(before, span)
    } catch {
      // A getter of the app's object threw while it was read: the half-written span is given up.
      if (scope.chunk === before) before.at = at
      counts.dropped++
      return
    }
    this.queuedBytes += after === before ? after.at - at : after.at
    scope.chunk = after
    scope.spans++
    counts.queued++
    this.waiting++
    if (this.waiting === 1) this.wake(false)
    else if (this.waiting >= this.batchSpans) this.wake(true)
  }

  /** More has become known about this process: batches from now on say so. */
  setResource(resource: Uint8Array): void {
    this.resource = resource
  }

  get hasFullBatch(): boolean {
    return this.waiting >= this.batchSpans
  }

  /** Takes what waits, up to the size of one request; undefined when nothing does. */
  take(): SpanBatch | undefined {
    for (const scope of this.scopes)
      if (scope.chunk !== null && scope.spans > 0) this.seal(scope, scope.chunk)
    if (this.sealed.length === 0) return undefined
    const pieces: Uint8Array[] = []
    const chunks: SpanChunk[] = []
    let bytes = 0
    let spans = 0
    let taken = 0
    for (const { scope, chunk, spans: count } of this.sealed) {
      if (taken > 0 && bytes + chunk.at > MAX_BATCH_BYTES) break
      taken++
      // A chunk is a message of its own: concatenated messages of one type are one message with all their fields.
      const scopeBytes = scope.head.length + chunk.at
      const head = new ByteWriter(this.resource.length + scope.head.length + 32)
      head.tag(1, 2)
      const scopeTag = new ByteWriter(16)
      scopeTag.tag(2, 2)
      scopeTag.varint(scopeBytes)
      head.varint(this.resource.length + scopeTag.at + scopeBytes)
      for (const part of [this.resource, scopeTag.finish(), scope.head]) {
        head.ensure(part.length)
        head.bytes.set(part, head.at)
        head.at += part.length
      }
      const body = chunk.bytes.subarray(0, chunk.at)
      pieces.push(head.finish(), body)
      bytes += head.at + body.length
      spans += count
      chunks.push(chunk)
    }
    this.sealed = this.sealed.slice(taken)
    this.waiting = Math.max(0, this.waiting - spans)
    return { pieces, bytes, count: spans, chunks }
  }

  /** The batch has left, one way or the other: `rejected` of its spans were not stored. */
  done(batch: SpanBatch, rejected: number): void {
    const lost = Math.min(batch.count, Math.max(0, rejected))
    this.counts.queued -= batch.count
    this.counts.sent += batch.count - lost
    this.counts.failed += lost
    for (const chunk of batch.chunks) {
      this.queuedBytes -= chunk.at
      if (this.spare.length < SPARE_CHUNKS && chunk.bytes.length === CHUNK_BYTES) {
        chunk.at = 0
        this.spare.push(chunk)
      }
    }
    if (this.queuedBytes < 0) this.queuedBytes = 0
  }

  private seal(scope: OpenScope, chunk: SpanChunk): void {
    if (chunk.at > 0 && scope.spans > 0) this.sealed.push({ scope, chunk, spans: scope.spans })
    scope.chunk = null
    scope.spans = 0
  }

  private emptyChunk(): SpanChunk {
    return this.spare.pop() ?? { bytes: Buffer.allocUnsafeSlow(CHUNK_BYTES), at: 0 }
  }
}
