import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { makeDirectory } from './make-directory.ts'

test('makes what is missing, for this user alone, and tells what it made', () => {
  const folder = temporaryDirectory()
  const inner = join(folder, 'a', 'b')
  expect(makeDirectory(inner)).toEqual([join(folder, 'a'), inner])
  expect(statSync(inner).mode & 0o777).toBe(0o700)
  expect(makeDirectory(inner)).toEqual([])
})

test('a file in its place is refused', () => {
  const file = join(temporaryDirectory(), 'file')
  writeFileSync(file, '')
  for (const path of [file, join(file, 'inside')])
    expect(() => makeDirectory(path)).toThrow(expect.objectContaining({ code: 'HS_DATA_DIR' }))
})

test.skipIf(!existsSync('/proc/self'))('a file system that takes no entries is refused, at once', () => {
  for (const path of ['/proc/x', '/proc/x/y'])
    expect(() => makeDirectory(path)).toThrow(/cannot be made or written.*--data-dir/)
})
