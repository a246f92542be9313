import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { figure } from '../contract/spread.ts'
import { freshDemo, type Round } from './fresh-demo.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Seconds of the demo's phases whose name matches. */
const phase =
  (name: RegExp) =>
  ({ phases }: Round): number =>
    phases.reduce((sum, entry) => sum + (name.test(entry.name) ? entry.seconds : 0), 0)

const parts: readonly { readonly id: string; readonly secondsOf: (round: Round) => number }[] = [
  { id: 'clone-to-first-finding', secondsOf: ({ totalSec }) => totalSec },
  { id: 'clone', secondsOf: ({ cloneSec }) => cloneSec },
  { id: 'set-up-packages', secondsOf: ({ packagesSec }) => packagesSec },
  { id: 'set-up-build', secondsOf: ({ buildSec }) => buildSec },
  { id: 'start', secondsOf: phase(/^starting /) },
  { id: 'warm-up', secondsOf: phase(/^warming up/) },
  { id: 'traffic', secondsOf: phase(/ of load /) },
  { id: 'analysis', secondsOf: phase(/^analysing/) },
]

export const bench: Bench = {
  name: 'first-finding',
  question: 'seconds from git clone to the first finding on the screen, as a new user gets it',
  packages: [],
  figures: parts.map(({ id }) => ({ id, unit: 's', target: '' })),
  run,
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const rounds: Round[] = []
  const cache = npmCache()
  for (let round = 0; round < (options.rounds ?? 1); round++) {
    rounds.push(await freshDemo(repository, options.signal))
    options.progress(`round ${round + 1}: ${rounds[round]!.totalSec.toFixed(0)} s`)
  }
  const last = rounds.at(-1)!
  return {
    rounds: rounds.length,
    figures: parts.map(({ secondsOf }, i) => figure(bench.figures[i]!, rounds.map(secondsOf))),
    notes: [
      `first finding: ${last.firstFinding}`,
      `phases of the last round: ${last.phases.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join('; ')}`,
      'traffic is what the demo takes on purpose: a finding needs two distinct minutes',
      `npm's cache before the first round: ${cache}; of later rounds: warm`,
      hasComponents()
        ? 'Chromium and PostgreSQL were there before'
        : 'Chromium or PostgreSQL was missing: set-up-build includes fetching it',
      `revision ${git('rev-parse', '--short', 'HEAD')}; what is not committed is not measured`,
    ],
  }
}

const output = (command: string, args: readonly string[]): string =>
  spawnSync(command, args, { cwd: repository, encoding: 'utf8' }).stdout?.trim() ?? ''

const git = (...args: string[]): string => output('git', args)

function npmCache(): string {
  const folder = join(output('npm', ['config', 'get', 'cache']), '_cacache')
  return existsSync(folder) ? `warm (${output('du', ['-sm', folder]).split(/\s/)[0]} MB)` : 'empty'
}

const isInPath = (name: string): boolean => spawnSync('which', [name]).status === 0

const hasComponents = (): boolean =>
  (isInPath('chromium') || existsSync(process.env.CHROME_PATH ?? '')) &&
  (isInPath('initdb') || existsSync('/usr/lib/postgresql'))
