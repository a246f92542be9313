/** Why bytes are not a protobuf message. */
export type WireErrorReason =
  | 'truncated'
  | 'varint-too-long'
  | 'bad-tag'
  | 'bad-wire-type'
  | 'too-deep'
  | 'too-many'
  | 'bad-value'

/**
 * Bytes that cannot be read as the protobuf message that was asked for. Every reading function of this package throws this
 * error and no other. `offset` counts bytes from the start of the array that was handed in.
 */
export class WireError extends Error {
  readonly code = 'HS_OTLP_WIRE'
  readonly reason: WireErrorReason
  readonly offset: number

  constructor(reason: WireErrorReason, offset: number, detail: string) {
    super(`protobuf: ${detail} at byte ${offset}`)
    this.name = 'WireError'
    this.reason = reason
    this.offset = offset
  }
}
