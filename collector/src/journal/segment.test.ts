import { readFileSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { expect, test, vi } from 'vitest'
import { RowTable } from '../schema/row-layout.ts'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { newFrame, readFrames } from './frame.ts'
import { Segment } from './segment.ts'

const frame = (number: number) =>
  newFrame({
    project: 'default',
    table: RowTable.Traces,
    rows: 1,
    receivedMs: 1,
    key: 'k'.repeat(16),
    payload: Buffer.alloc(100, number),
  })

test('a failed write is cut back; a file that cannot be cut back is not written on', async () => {
  const segment = await Segment.create(temporaryDirectory(), 1, false)
  await segment.write([frame(1)], false)
  const { file } = segment as unknown as { file: FileHandle }
  // No disk fails on demand between a write and its cut.
  const sync = vi.spyOn(file, 'datasync').mockRejectedValue(new Error('EIO'))
  await expect(segment.write([frame(2)], true)).rejects.toThrow('EIO')
  expect(segment.isBroken).toBe(false)
  const cut = vi.spyOn(file, 'truncate').mockRejectedValue(new Error('EIO'))
  await expect(segment.write([frame(3)], true)).rejects.toThrow('EIO')
  expect(segment.isBroken).toBe(true)
  sync.mockRestore()
  cut.mockRestore()
  await expect(segment.write([frame(4)], false)).rejects.toThrow('closed')
  await segment.close()
  const numbers = readFrames(readFileSync(segment.path)).frames.map(({ payload }) => payload[0])
  expect(numbers).toContain(1)
  expect(numbers).not.toContain(4)
  expect(segment.frames).toHaveLength(1)
})
