import { RowWriter } from '../transcode/row-writer.ts'

/** What clickhouse-go asks first on a connection over HTTP, whatever its spacing. */
export const helloStatement =
  /^\s*SELECT\s+displayName\(\)\s*,\s*version\(\)\s*,\s*revision\(\)\s*,\s*timezone\(\)\s*;?\s*$/i

/** The head of a Native block in the client's own protocol version: not a two-level aggregation, bucket -1, end of fields. */
const blockInfo = Buffer.from([1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0])

/**
 * The answer, as one Native block. Revision 0 tells the client that blocks from here have no such head, which is how the
 * embedded engine writes and reads them.
 */
export function helloBlock(version: string): Buffer {
  const w = new RowWriter(256)
  w.raw(blockInfo, 0, blockInfo.length)
  w.varint(4)
  w.varint(1)
  const column = (name: string, type: string, write: () => void) => {
    w.string(name)
    w.string(type)
    // No custom serialisation.
    w.byte(0)
    write()
  }
  column('displayName()', 'String', () => w.string('hotspan'))
  column('version()', 'String', () => w.string(version))
  column('revision()', 'UInt32', () => w.int32(0))
  column('timezone()', 'String', () => w.string('UTC'))
  return w.copy()
}
