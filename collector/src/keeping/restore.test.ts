import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { pack } from './archive.ts'
import { restore } from './restore.ts'

async function cutArchive(folder: string): Promise<string> {
  const content = join(folder, 'content')
  mkdirSync(content)
  writeFileSync(join(content, 'manifest.json'), 'x'.repeat(100_000))
  await pack(content, join(folder, 'whole.tar'), false)
  const cut = join(folder, 'cut.tar')
  writeFileSync(cut, readFileSync(join(folder, 'whole.tar')).subarray(0, 40_000))
  return cut
}

test('an archive that was cut is called damaged, and a new directory goes again', async () => {
  const folder = temporaryDirectory()
  const from = await cutArchive(folder)
  const dataDir = join(folder, 'new', 'data')
  await expect(restore({ from, dataDir })).rejects.toMatchObject({
    code: 'HS_RESTORE',
    message: expect.stringMatching(/^\S+cut\.tar is damaged or cut short: .*\(tar: [^\n]+\)$/),
  })
  expect(existsSync(join(folder, 'new'))).toBe(false)
  writeFileSync(join(folder, 'no.tar.gz'), 'no archive at all')
  await expect(restore({ from: join(folder, 'no.tar.gz'), dataDir })).rejects.toThrow(/damaged or cut short/)
})

test('a directory that was there stays as it was', async () => {
  const folder = temporaryDirectory()
  const from = await cutArchive(folder)
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir)
  await expect(restore({ from, dataDir })).rejects.toMatchObject({ code: 'HS_RESTORE' })
  expect(readdirSync(dataDir)).toEqual([])
  writeFileSync(join(dataDir, 'notes.txt'), 'mine')
  await expect(restore({ from: join(folder, 'content'), dataDir })).rejects.toMatchObject({
    code: 'HS_RESTORE',
  })
  expect(readdirSync(dataDir)).toEqual(['notes.txt'])
})
