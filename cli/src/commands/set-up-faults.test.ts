import { existsSync, readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inTemporaryDirectory, runCli, startCli } from '../testing/run-cli.ts'

const faults: [string, string[], NodeJS.ProcessEnv, RegExp][] = [
  ['an address of another machine', ['collector', '--host', '192.0.2.7'], {}, /--host .* is "192\.0\.2\.7"/],
  ...['collector', 'migrate', 'analyze'].flatMap((command): typeof faults => [
    [
      'no address of a server',
      [command],
      { HOTSPAN_CLICKHOUSE_URL: 'nonsense' },
      /HOTSPAN_CLICKHOUSE_URL is "nonsense"; expected the HTTP address/,
    ],
  ]),
  [
    'a password in it',
    ['migrate'],
    { HOTSPAN_CLICKHOUSE_URL: 'clickhouse://u:secret@host:9000' },
    /HOTSPAN_CLICKHOUSE_URL is "clickhouse:\/\/\*\*\*@host:9000"/,
  ],
  [
    'a bound of the journal',
    ['collector'],
    { HOTSPAN_JOURNAL_MAX_MB: 'abc' },
    /HOTSPAN_JOURNAL_MAX_MB is "abc"; expected megabytes from 1/,
  ],
  [
    'memory of the engine',
    ['migrate'],
    { HOTSPAN_ENGINE_MEMORY_MB: '100' },
    /HOTSPAN_ENGINE_MEMORY_MB is "100"; expected megabytes from 256/,
  ],
  ...(existsSync('/proc/self') ? [['collector'], ['token', 'create']] : []).map(
    (command): (typeof faults)[number] => [
      'a directory that cannot be',
      [...command, '--data-dir', '/proc/x'],
      {},
      /\/proc\/x cannot be made or written: .*--data-dir/,
    ],
  ),
]

test.each(faults)(
  '%s ends with 2, names the value, and leaves nothing behind: %j %j',
  { timeout: 60_000 },
  async (_what, args, env, message) => {
    await inTemporaryDirectory(async (cwd) => {
      const ports = args[0] === 'collector' ? ['--otlp-port', '0', '--page-port', '0'] : []
      const { exitCode, stdout, stderr } = await runCli([...args, ...ports], { cwd, env })
      expect(stderr).toMatch(message)
      expect(stderr).not.toMatch(/ {4}at |fault of Hotspan|secret/)
      expect(stdout).toBe('')
      expect(exitCode).toBe(2)
      expect(readdirSync(cwd)).toEqual([])
    })
  },
)

test('a taken port names its flag, before there is a directory', { timeout: 60_000 }, async () => {
  const holder = createServer()
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
  try {
    const address = holder.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await inTemporaryDirectory(async (cwd) => {
      const { exitCode, stderr } = await runCli(
        ['collector', '--otlp-port', String(port), '--page-port', '0'],
        { cwd },
      )
      expect(stderr).toMatch(new RegExp(`port ${port} on 127.0.0.1 is taken.* --otlp-port`))
      expect(exitCode).toBe(2)
      expect(readdirSync(cwd)).toEqual([])
    })
  } finally {
    holder.close()
  }
})

test('doctor names the process that owns the directory and does not listen yet', {
  timeout: 120_000,
}, async () => {
  await inTemporaryDirectory(async (cwd) => {
    const collector = startCli(['collector', '--otlp-port', '0', '--page-port', '0'], { cwd })
    try {
      await collector.waitFor(/Ready/)
      const file = join(cwd, '.hotspan', 'owner.json')
      const owner = JSON.parse(await readFile(file, 'utf8')) as object
      const found = async (changes: object): Promise<string> => {
        await writeFile(file, JSON.stringify({ ...owner, ...changes }))
        const { stdout } = await runCli(['doctor', '--format', 'json'], { cwd })
        const { checks } = JSON.parse(stdout) as { checks: { id: string; found: string }[] }
        return checks.find((check) => check.id === 'collector')!.found
      }
      // The record as it is before the engine answers, and before the listeners are open.
      const pid = collector.child.pid
      expect(await found({ engineSocket: '', otlpUrl: '', pageUrl: '' })).toBe(
        `process ${pid} owns this directory and is opening its store: nothing listens yet`,
      )
      expect(await found({ otlpUrl: '', pageUrl: '' })).toMatch(
        new RegExp(
          `^process ${pid} owns this directory and does not listen: a collector that is still start`,
        ),
      )
      expect(await found({})).toMatch(new RegExp(`^process ${pid}, OTLP http`))
    } finally {
      collector.child.kill('SIGTERM')
      await collector.ended
    }
  })
})
