import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const demo = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })

test.each([
  [
    ['--faults', 'n-plus-two'],
    /--faults is 'n-plus-two': unknown fault "n-plus-two"; valid: all, missing-index/,
  ],
  [['--seconds', 'soon'], /--seconds is 'soon'; expected a number above 0/],
  [['--rate', '0'], /--rate is '0'; expected a number above 0/],
  [['--data-dir', '.'], /--data-dir is '\.', which is there already; expected a new or empty folder/],
  [['--fautls', 'all'], /Unknown option '--fautls'/],
])('%j is refused before anything starts, with the flag, the value and what was expected', (args, words) => {
  const { status, stderr, stdout } = demo(...args)
  expect(stderr).toMatch(words)
  expect(stderr).toContain('npm run demo -- [options]')
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
})

test('a browser that cannot be run is named', () => {
  const { status, stderr } = spawnSync(process.execPath, [main], {
    encoding: 'utf8',
    env: { ...process.env, CHROME_PATH: '/nowhere/chromium' },
  })
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: 'demo: CHROME_PATH is /nowhere/chromium, which cannot be run\n',
  })
})

/** Processes whose parent chain leads to `pid`, by what the kernel says. */
function descendants(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${entry}/status`, 'utf8'))?.[1])
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
    } catch {
      // It ended meanwhile.
    }
  }
  const below = (id: number): number[] =>
    (children.get(id) ?? []).flatMap((child) => [child, ...below(child)])
  return below(pid)
}

const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

test.skipIf(process.platform !== 'linux')('an interrupt stops every process that it started', async () => {
  const child = spawn(process.execPath, [main, '--faults', 'none'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const said: string[] = []
  const ended = once(child, 'exit')
  let started: number[] = []
  for await (const line of createInterface({ input: child.stderr! })) {
    said.push(line)
    if (!line.includes('warming up')) continue
    started = descendants(child.pid!)
    child.kill('SIGINT')
  }
  await ended
  expect(said.at(-1)).toBe('demo: interrupted by SIGINT')
  expect(child.exitCode).toBe(130)
  // Collector, its engine, PostgreSQL, its keeper, proxy, partner and API at least.
  expect(started.length, said.join('\n')).toBeGreaterThanOrEqual(7)
  expect(started.filter(isAlive)).toEqual([])
})
