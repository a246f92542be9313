import { crc32 } from 'node:zlib'
import { currentLayout, type RowTable } from '../schema/row-layout.ts'

/** One acknowledged body: its rows, ready to insert. */
export interface Frame {
  readonly project: string
  readonly table: RowTable
  readonly layout: number
  readonly rows: number
  readonly receivedMs: number
  /** 16 bytes as latin1 text: hash of the body, or of the sender's chunk id. */
  readonly key: string
  readonly payload: Uint8Array
  /** Called when nobody will read the payload any more: its memory is used again. */
  readonly release?: (() => void) | undefined
}

const magic = 0x314a5348 // "HSJ1"
const headerBytes = 44
/** A frame longer than this is not ours: bodies are bounded far below it. */
const maxPayloadBytes = 1024 * 1024 * 1024

export function newFrame(frame: Omit<Frame, 'layout'>): Frame {
  return { ...frame, layout: currentLayout }
}

/** Header and project name; the payload follows as it is. Bytes: magic 4, payload length 4, crc32 4, table, layout, name length, 0, rows 4, received ms 8, key 16. */
export function frameHead(frame: Frame): Buffer {
  const name = Buffer.from(frame.project, 'latin1')
  const head = Buffer.allocUnsafe(headerBytes + name.length)
  head.writeUInt32LE(magic, 0)
  head.writeUInt32LE(frame.payload.length, 4)
  head[12] = frame.table
  head[13] = frame.layout
  head[14] = name.length
  head[15] = 0
  head.writeUInt32LE(frame.rows, 16)
  head.writeDoubleLE(frame.receivedMs, 20)
  head.write(frame.key, 28, 16, 'latin1')
  name.copy(head, headerBytes)
  head.writeUInt32LE(crc32(frame.payload, crc32(head.subarray(12))), 8)
  return head
}

export interface SegmentContent {
  readonly frames: Frame[]
  /** Bytes of a last frame that the file ends in: a write that a kill cut off, never acknowledged. */
  readonly tornBytes: number
  /** Bytes of frames with another checksum, and bytes that are no frame: acknowledged once, and damaged since. */
  readonly damagedBytes: number
}

/** Reads what a segment file holds. Never throws: what is no whole frame is passed over, and counted. */
export function readFrames(bytes: Buffer): SegmentContent {
  const frames: Frame[] = []
  let damagedBytes = 0
  let badFrom = -1
  let at = 0
  while (at < bytes.length) {
    const frame = frameAt(bytes, at)
    if (frame === null) {
      if (badFrom < 0) badFrom = at
      const next = bytes.indexOf(magicBytes, at + 1)
      at = next < 0 ? bytes.length : next
      continue
    }
    if (badFrom >= 0) damagedBytes += at - badFrom
    badFrom = -1
    frames.push(frame.frame)
    at = frame.end
  }
  if (badFrom < 0) return { frames, tornBytes: 0, damagedBytes }
  const tornFrom = tornFrameFrom(bytes, badFrom)
  return { frames, tornBytes: bytes.length - tornFrom, damagedBytes: damagedBytes + tornFrom - badFrom }
}

/** Where, behind the last whole frame, one starts whose end the file does not have; the file's end without any. */
function tornFrameFrom(bytes: Buffer, from: number): number {
  let at = from
  while (at < bytes.length) {
    const head = bytes.subarray(at, at + headerBytes)
    if (head.length < magicBytes.length && magicBytes.indexOf(head) === 0) return at
    if (head.indexOf(magicBytes) === 0) {
      if (head.length < headerBytes) return at
      const payloadBytes = head.readUInt32LE(4)
      const end = at + headerBytes + head[14]! + payloadBytes
      if (end > bytes.length && payloadBytes <= maxPayloadBytes) return at
      // A whole one: what follows is looked at for itself.
      at = Math.min(end, bytes.length)
      continue
    }
    const next = bytes.indexOf(magicBytes, at + 1)
    at = next < 0 ? bytes.length : next
  }
  return at
}

const magicBytes = Buffer.alloc(4)
magicBytes.writeUInt32LE(magic)

function frameAt(bytes: Buffer, at: number): { frame: Frame; end: number } | null {
  if (at + headerBytes > bytes.length || bytes.readUInt32LE(at) !== magic) return null
  const length = bytes.readUInt32LE(at + 4)
  const payloadAt = at + headerBytes + bytes[at + 14]!
  const end = payloadAt + length
  if (length > maxPayloadBytes || end > bytes.length) return null
  const payload = bytes.subarray(payloadAt, end)
  if (crc32(payload, crc32(bytes.subarray(at + 12, payloadAt))) !== bytes.readUInt32LE(at + 8)) return null
  return {
    end,
    frame: {
      project: bytes.toString('latin1', at + headerBytes, payloadAt),
      table: bytes[at + 12] as RowTable,
      layout: bytes[at + 13]!,
      rows: bytes.readUInt32LE(at + 16),
      receivedMs: bytes.readDoubleLE(at + 20),
      key: bytes.toString('latin1', at + 28, at + 44),
      payload,
    },
  }
}
