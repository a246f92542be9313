import { ByteWriter } from './byte-writer.ts'
import { WireReader } from './wire-read.ts'

/** Signals of OTLP; they differ in the name of the rejected count, in JSON only. */
export type Signal = 'traces' | 'logs' | 'metrics' | 'profiles'

/**
 * What a receiver says about records it did not keep. `rejected` > 0 is a partial success; 0 with a message is a warning about
 * a body that was taken whole. Either way the client must not send again.
 */
export interface PartialSuccess {
  readonly rejected: number
  readonly errorMessage: string
}

const rejectedKey = {
  traces: 'rejectedSpans',
  logs: 'rejectedLogRecords',
  metrics: 'rejectedDataPoints',
  profiles: 'rejectedProfiles',
} as const

/** `Export{Trace,Logs,Metrics,Profiles}ServiceResponse` as protobuf; `null` is full success, which is an empty message. */
export function encodeExportResponse(partial: PartialSuccess | null): Uint8Array {
  const w = new ByteWriter(64)
  if (partial !== null) {
    w.message(1, () => {
      w.uintField(1, partial.rejected)
      w.stringField(2, partial.errorMessage)
    })
  }
  return w.finish()
}

/** Reads the protobuf response of any signal; an unset or empty partial success is `null`. Throws only `WireError`. */
export function decodeExportResponse(bytes: Uint8Array): PartialSuccess | null {
  const r = new WireReader(bytes)
  let rejected = 0
  let errorMessage = ''
  while (r.more()) {
    const tag = r.tag()
    if (tag !== 10) {
      r.skip(tag)
      continue
    }
    const outer = r.enter()
    while (r.more()) {
      const inner = r.tag()
      if (inner === 8) rejected = r.int64()
      else if (inner === 18) errorMessage = r.string()
      else r.skip(inner)
    }
    r.leave(outer)
  }
  return rejected === 0 && errorMessage === '' ? null : { rejected, errorMessage }
}

/** JSON form, ready for `JSON.stringify`; the count is a decimal string, as protobuf JSON writes int64. */
export function exportResponseToJson(
  signal: Signal,
  partial: PartialSuccess | null,
): Record<string, unknown> {
  if (partial === null) return {}
  const body: Record<string, unknown> = {}
  if (partial.rejected !== 0) body[rejectedKey[signal]] = String(partial.rejected)
  if (partial.errorMessage !== '') body.errorMessage = partial.errorMessage
  return { partialSuccess: body }
}

/** Reads the parsed JSON form; fields of another type count as absent. */
export function exportResponseFromJson(signal: Signal, json: unknown): PartialSuccess | null {
  const response = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>
  const partial = response.partialSuccess
  if (typeof partial !== 'object' || partial === null) return null
  const record = partial as Record<string, unknown>
  const count = Number(record[rejectedKey[signal]] ?? 0)
  const rejected = Number.isFinite(count) ? count : 0
  const errorMessage = typeof record.errorMessage === 'string' ? record.errorMessage : ''
  return rejected === 0 && errorMessage === '' ? null : { rejected, errorMessage }
}
