import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Report } from '../../analyzers/src/index.ts'

/** Seconds of one round, from the clone to the first finding on the screen. */
export interface Round {
  readonly totalSec: number
  readonly cloneSec: number
  /** `npm ci` of set-up; 0 when it had nothing to install. */
  readonly packagesSec: number
  /** The rest of set-up: finding Node and the system's components, building. */
  readonly buildSec: number
  /** Phases as the demo's JSON has them. */
  readonly phases: readonly { readonly name: string; readonly seconds: number }[]
  readonly firstFinding: string
}

/** Printed at the start of the line of each finding. */
const findingLine = /^\s*(HIGH|MEDIUM|LOW)\s/

/** Clones the repository's HEAD and runs the demo there as a user does; the clone is removed, also when this fails. */
export async function freshDemo(repository: string, signal: AbortSignal): Promise<Round> {
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-first-finding-'))
  try {
    const startedMs = performance.now()
    const clone = spawnSync('git', ['clone', '--quiet', '--no-local', repository, 'hotspan'], {
      cwd: folder,
      encoding: 'utf8',
    })
    if (clone.status !== 0) throw new Error(`git clone failed:\n${clone.stderr}`)
    const cloneSec = (performance.now() - startedMs) / 1000
    return { ...(await runDemo(join(folder, 'hotspan'), startedMs, signal)), cloneSec }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runDemo(
  root: string,
  startedMs: number,
  signal: AbortSignal,
): Promise<Omit<Round, 'cloneSec'>> {
  const jsonFile = join(root, 'first-finding.json')
  const demoStartedMs = performance.now()
  const child = spawn('npm', ['run', 'demo', '--', '--no-lighthouse', '--json', jsonFile], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stop = () => child.kill('SIGINT')
  signal.addEventListener('abort', stop, { once: true })
  const said: string[] = []
  let packagesSec = 0
  let isInstalling = false
  let demoMs: number | undefined
  let foundMs: number | undefined
  let firstFinding = ''
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line)
    if (/^set-up\s+installing packages/.test(line)) isInstalling = true
    const done = /^set-up\s+done in ([\d.]+) s/.exec(line)
    if (done && isInstalling) {
      packagesSec = Number(done[1])
      isInstalling = false
    }
    // The demo's own lines begin with the seconds since it started.
    if (/^\s*\d+ s {2}/.test(line)) demoMs ??= performance.now()
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!findingLine.test(line)) return
    foundMs ??= performance.now()
    firstFinding ||= line.trim()
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  signal.removeEventListener('abort', stop)
  signal.throwIfAborted()
  if (code !== 0) throw new Error(`npm run demo ended with ${code}:\n${said.slice(-25).join('\n')}`)
  if (foundMs === undefined || demoMs === undefined) throw new Error('npm run demo printed no finding')
  const { report, phases } = JSON.parse(readFileSync(jsonFile, 'utf8')) as {
    report: Report
    phases: Round['phases']
  }
  if (report.findings.length === 0) throw new Error('the report of npm run demo holds no finding')
  const setUpSec = (demoMs - demoStartedMs) / 1000
  return {
    totalSec: (foundMs - startedMs) / 1000,
    packagesSec,
    buildSec: setUpSec - packagesSec,
    phases,
    firstFinding,
  }
}
