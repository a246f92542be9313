import { ByteWriter } from './byte-writer.ts'
import { WireReader } from './wire-read.ts'

/** Codes of `google.rpc.Code` that an OTLP receiver answers with. */
export const RpcCode = {
  Ok: 0,
  Cancelled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  Aborted: 10,
  OutOfRange: 11,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
} as const

/** One entry of `google.rpc.BadRequest`: the path of the field and what is wrong with it. */
export interface FieldViolation {
  readonly field: string
  readonly description: string
}

/** `google.rpc.Status`, the body of every OTLP failure. Of the details only `BadRequest` is modelled. */
export interface RpcStatus {
  readonly code: number
  readonly message: string
  readonly fieldViolations?: readonly FieldViolation[]
}

const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest'

/** Protobuf form of a status. */
export function encodeRpcStatus(status: RpcStatus): Uint8Array {
  const w = new ByteWriter(256)
  w.uintField(1, status.code)
  w.stringField(2, status.message)
  const violations = status.fieldViolations ?? []
  if (violations.length > 0) {
    const detail = new ByteWriter(256)
    for (const { field, description } of violations) {
      detail.message(1, () => {
        detail.stringField(1, field)
        detail.stringField(2, description)
      })
    }
    w.message(3, () => {
      w.stringField(1, BAD_REQUEST)
      w.bytesField(2, detail.finish())
    })
  }
  return w.finish()
}

/** Reads the protobuf form; unknown details are ignored. Throws only `WireError`. */
export function decodeRpcStatus(bytes: Uint8Array): RpcStatus {
  const r = new WireReader(bytes)
  let code = 0
  let message = ''
  const fieldViolations: FieldViolation[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag === 8) code = r.int32()
    else if (tag === 18) message = r.string()
    else if (tag === 26) fieldViolations.push(...readDetail(r))
    else r.skip(tag)
  }
  return fieldViolations.length > 0 ? { code, message, fieldViolations } : { code, message }
}

function readDetail(r: WireReader): FieldViolation[] {
  const outer = r.enter()
  let type = ''
  let value: Uint8Array = new Uint8Array(0)
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) type = r.string()
    else if (tag === 18) value = r.slice()
    else r.skip(tag)
  }
  r.leave(outer)
  return type === BAD_REQUEST ? readViolations(new WireReader(value)) : []
}

function readViolations(r: WireReader): FieldViolation[] {
  const violations: FieldViolation[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag !== 10) {
      r.skip(tag)
      continue
    }
    const outer = r.enter()
    let field = ''
    let description = ''
    while (r.more()) {
      const inner = r.tag()
      if (inner === 10) field = r.string()
      else if (inner === 18) description = r.string()
      else r.skip(inner)
    }
    r.leave(outer)
    violations.push({ field, description })
  }
  return violations
}

/** JSON form (canonical protobuf JSON: a detail carries its type as `@type`), ready for `JSON.stringify`. */
export function rpcStatusToJson(status: RpcStatus): Record<string, unknown> {
  const out: Record<string, unknown> = { code: status.code, message: status.message }
  const fieldViolations = status.fieldViolations ?? []
  if (fieldViolations.length > 0) out.details = [{ '@type': BAD_REQUEST, fieldViolations }]
  return out
}

/** Reads the parsed JSON form; fields of another type count as absent. */
export function rpcStatusFromJson(json: unknown): RpcStatus {
  const record = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>
  const code = typeof record.code === 'number' && Number.isInteger(record.code) ? record.code : 0
  const message = typeof record.message === 'string' ? record.message : ''
  const fieldViolations: FieldViolation[] = []
  for (const detail of Array.isArray(record.details) ? record.details : []) {
    if (typeof detail !== 'object' || detail === null || detail['@type'] !== BAD_REQUEST) continue
    for (const violation of Array.isArray(detail.fieldViolations) ? detail.fieldViolations : []) {
      fieldViolations.push({
        field: String(violation?.field ?? ''),
        description: String(violation?.description ?? ''),
      })
    }
  }
  return fieldViolations.length > 0 ? { code, message, fieldViolations } : { code, message }
}
