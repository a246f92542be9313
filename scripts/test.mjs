// The whole suite: style, types, dead code, licences, then every test of every workspace with coverage. Last line: `N passed, N failed`.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { workspaces } from './workspaces.mjs'

const bin = (name) => join('node_modules', '.bin', name)
const folder = mkdtempSync(join(tmpdir(), 'hotspan-test-'))
const resultFile = join(folder, 'results.json')
process.env.HOTSPAN_RESULTS = resultFile
const only = process.argv.slice(2)

let passed = 0
let failed = 0

function step(title, command, args) {
  const startedMs = Date.now()
  const result = spawnSync(process.execPath, [command, ...args], { stdio: ['ignore', 'inherit', 'inherit'] })
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
  const ok = result.status === 0
  console.log(`${ok ? 'ok  ' : 'FAIL'}  ${title}  (${seconds} s)`)
  return ok
}

function count(ok) {
  if (ok) passed++
  else failed++
}

if (only.length === 0) {
  count(step('style (biome)', bin('biome'), ['check', '--error-on-warnings', '.']))
  count(step('types of tests and scripts (tsc)', bin('tsc'), ['-p', 'tsconfig.tests.json']))
  count(step('dead code and unused dependencies (knip)', bin('knip'), []))
}

const ran = step('tests (vitest)', bin('vitest'), [
  'run',
  ...(only.length === 0 ? ['--coverage'] : only),
  '--reporter=default',
  '--reporter=./scripts/results-reporter.ts',
])

/** A heading and a line each; nothing when there is nothing to say. */
function list(heading, tests) {
  if (tests.length > 0) console.log(`\n${heading}:`)
  for (const { project, test, reason } of tests)
    console.log(`  ${project}  ${test}${reason === '' ? '' : `: ${reason}`}`)
}

const results = existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, 'utf8')) : null
if (!results) {
  console.log('the test runner left no results')
  failed++
} else {
  const unhandled = results.unhandledErrors.length
  passed += results.passed
  failed += results.failed + unhandled
  if (!ran && results.failed + unhandled === 0) failed++
  list('skipped, with the reason', results.skipped)
  list('passed at the second try only', results.repeated)
  list('failed', results.failures)
  list(
    'errors outside of tests',
    results.unhandledErrors.map((message) => ({ project: '', test: message, reason: '' })),
  )
  if (only.length === 0)
    for (const workspace of workspaces)
      if (!results.testsByProject[workspace]) {
        console.log(`FAIL  workspace ${workspace} ran no test`)
        failed++
      }
}
rmSync(folder, { recursive: true, force: true })
console.log(`\n${passed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
