import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inTemporaryDirectory, runCli } from '../testing/run-cli.ts'

const buildId = '0123456789abcdef0123456789abcdef'
const manifest = (files: unknown) => JSON.stringify({ schemaVersion: 1, buildIds: [buildId], files })
const file = { file: 'assets/a.js', map: 'assets/a.js.map', functions: 'assets/a.js.functions.json' }
const map = '{"version":3,"file":"assets/a.js","names":[],"sources":["src/a.ts"],"mappings":"AAAA"}'
const functions =
  '{"schemaVersion":1,"lineStarts":[0],"names":["a"],"sources":["src/a.ts"],"functions":[["k1","t",0,9,0,0,1]]}'

const wrong: [string, Record<string, string>, RegExp][] = [
  ['no manifest', {}, /maps has no hotspan-build.json: it is no folder of source maps/],
  ['no JSON', { 'hotspan-build.json': '{' }, /hotspan-build.json is not JSON/],
  [
    'of another version',
    { 'hotspan-build.json': '{"schemaVersion":2}' },
    /has schemaVersion 2; this Hotspan reads 1/,
  ],
  [
    'no id',
    { 'hotspan-build.json': '{"schemaVersion":1,"buildIds":["x"],"files":[]}' },
    /buildIds .* is \["x"\]; expected ids/,
  ],
  ['no files', { 'hotspan-build.json': manifest([]) }, /the build has no script with a source map/],
  [
    'a path that leaves the folder',
    { 'hotspan-build.json': manifest([{ ...file, map: '../../etc/passwd' }]) },
    /expected file, map and functions as paths below the folder/,
  ],
  [
    'a missing file',
    { 'hotspan-build.json': manifest([file]) },
    /a.js.functions.json cannot be read: ENOENT/,
  ],
  [
    'a broken list',
    { 'hotspan-build.json': manifest([file]), [file.functions]: '{"schemaVersion":1}', [file.map]: map },
    /a.js.functions.json is no list of functions/,
  ],
  [
    'a broken map',
    { 'hotspan-build.json': manifest([file]), [file.functions]: functions, [file.map]: '{"version":2}' },
    /a.js.map is no source map of version 3/,
  ],
]

const writeFiles = async (folder: string, files: Record<string, string>): Promise<void> => {
  await mkdir(join(folder, 'maps/assets'), { recursive: true })
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, 'maps', name), content)
}

test.each(wrong)(
  'a folder with %s is refused by name',
  { timeout: 60_000 },
  async (_what, files, message) => {
    await inTemporaryDirectory(async (cwd) => {
      await writeFiles(cwd, files)
      const { exitCode, stdout, stderr } = await runCli(['sourcemaps', 'upload', 'maps'], { cwd })
      expect(stderr).toMatch(message)
      expect(stderr).toContain('HS_SOURCE_MAPS')
      expect(stdout).toBe('')
      expect(exitCode).toBe(2)
    })
  },
)

test('a build is stored, and stored again', { timeout: 120_000 }, async () => {
  await inTemporaryDirectory(async (cwd) => {
    await writeFiles(cwd, {
      'hotspan-build.json': manifest([file]),
      [file.functions]: functions,
      [file.map]: map,
    })
    const text = await runCli(['sourcemaps', 'upload', 'maps'], { cwd })
    expect(text.stderr).toBe('')
    expect(text.stdout).toBe(`build ${buildId}\n1 file, ${map.length + functions.length} bytes\n`)
    const again = await runCli(['sourcemaps', 'upload', 'maps', '--format', 'json'], { cwd })
    expect(JSON.parse(again.stdout)).toEqual({
      schemaVersion: 1,
      project: 'default',
      buildIds: [buildId],
      files: 1,
      bytes: map.length + functions.length,
    })
  })
})
