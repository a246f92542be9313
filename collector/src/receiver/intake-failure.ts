import { type FieldViolation, RpcCode } from '@hotspan/otlp'

/** Why a body was not taken; counted by this name. */
export type RejectReason =
  | 'bad-data'
  | 'no-token'
  | 'forbidden'
  | 'rate-limit'
  | 'too-large'
  | 'unsupported-type'
  | 'unsupported-encoding'
  | 'forbidden-origin'
  | 'not-found'
  | 'method'
  | 'busy'
  | 'journal-full'
  | 'journal-failed'
  | 'aborted'
  | 'internal'

/**
 * Why a body was refused: the HTTP status, and the parts of the `google.rpc.Status` that the answer carries in HTTP and in gRPC.
 */
export class IntakeFailure extends Error {
  readonly status: number
  readonly reason: RejectReason
  readonly rpcCode: number
  readonly retryAfterSec: number | null
  readonly violations: readonly FieldViolation[]

  constructor(
    status: number,
    reason: RejectReason,
    message: string,
    more: { retryAfterSec?: number; violations?: readonly FieldViolation[] } = {},
  ) {
    super(message)
    this.status = status
    this.reason = reason
    this.rpcCode = rpcCodeOf(status)
    this.retryAfterSec = more.retryAfterSec ?? null
    this.violations = more.violations ?? []
  }
}

function rpcCodeOf(status: number): number {
  switch (status) {
    case 400:
    case 413:
    case 415:
      return RpcCode.InvalidArgument
    case 401:
      return RpcCode.Unauthenticated
    case 403:
      return RpcCode.PermissionDenied
    case 404:
      return RpcCode.NotFound
    case 405:
    case 501:
      return RpcCode.Unimplemented
    case 429:
      return RpcCode.ResourceExhausted
    case 503:
      return RpcCode.Unavailable
    default:
      return RpcCode.Internal
  }
}

export function tooLarge(maxBytes: number): IntakeFailure {
  return new IntakeFailure(
    413,
    'too-large',
    `the body is larger than ${maxBytes} bytes, counted after decompression; send smaller batches`,
  )
}

export function busy(): IntakeFailure {
  return new IntakeFailure(429, 'busy', 'too many bodies are being read at once', { retryAfterSec: 1 })
}
