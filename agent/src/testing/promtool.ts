import { spawnSync } from 'node:child_process'

const PROGRAM = process.env.HOTSPAN_PROMTOOL || 'promtool'

/** Why `promtool` cannot check here, or undefined. */
export function promtoolMissing(): string | undefined {
  if (spawnSync(PROGRAM, ['--version'], { stdio: 'ignore' }).status === 0) return undefined
  const reason = 'promtool is not installed (Debian package prometheus; HOTSPAN_PROMTOOL names another place)'
  if ((process.env.HOTSPAN_REQUIRE ?? '').split(',').includes('promtool')) throw new Error(reason)
  console.warn(`skipped: ${reason}`)
  return reason
}

/** What `promtool check metrics` says about a scrape: exit code 0 parses, 3 parses with complaints about style. */
export function promtoolCheck(text: string): { status: number | null; complaints: string } {
  const { status, stderr, stdout } = spawnSync(PROGRAM, ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  })
  return { status, complaints: `${stdout}${stderr}` }
}
