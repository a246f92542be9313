import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type ApiCopy, newerApiCopy, OWN_API_VERSION } from './api-copy.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** An app folder whose `@opentelemetry/api` is a marked copy of that version. */
function appWith(version: string | undefined): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hotspan-api-')))
  folders.push(folder)
  if (version !== undefined) {
    const api = join(folder, 'node_modules/@opentelemetry/api')
    mkdirSync(api, { recursive: true })
    writeFileSync(
      join(api, 'package.json'),
      JSON.stringify({ name: '@opentelemetry/api', version, main: 'index.js' }),
    )
    writeFileSync(join(api, 'index.js'), `exports.marked = '${version}'`)
  }
  return join(folder, 'app.js')
}

const ours = {} as ApiCopy

test.each([
  ['1.99.0', true],
  ['1.1.0', false],
  ['2.0.0', false],
  [undefined, false],
])("an app's copy of version %s is used: %s", (version, used) => {
  const copy = newerApiCopy(ours, appWith(version))
  if (used) expect(copy).toMatchObject({ marked: version })
  else expect(copy).toBe(ours)
})

test('ours is the version that is installed here and built in', () => {
  const main = createRequire(import.meta.url).resolve('@opentelemetry/api')
  const manifest = readFileSync(join(dirname(main), '../package.json'), 'utf8')
  expect(OWN_API_VERSION).toBe((JSON.parse(manifest) as { version: string }).version)
})
