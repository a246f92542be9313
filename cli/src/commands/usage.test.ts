import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inTemporaryDirectory, runCli } from '../testing/run-cli.ts'

const commands = [
  'dev',
  'analyze',
  'trace',
  'collector',
  'import',
  'token',
  'load',
  'lighthouse',
  'check',
  'dashboards',
  'sourcemaps',
  'doctor',
  'backup',
  'restore',
  'migrate',
]

test('help names every command and fits 80 columns', { timeout: 60_000 }, async () => {
  const helps = await Promise.all(
    [['--help'], ...commands.map((name) => [name, '--help'])].map((args) => runCli(args)),
  )
  for (const help of helps) {
    expect(help.exitCode).toBe(0)
    expect(help.stderr).toBe('')
    for (const line of help.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  }
  for (const name of commands) expect(helps[0]!.stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'))
})

test('--version is the version of the package, on stdout', async () => {
  const { stdout, exitCode } = await runCli(['--version'])
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

const usageErrors: [string[], RegExp][] = [
  [['analize'], /unknown command 'analize'[\s\S]*analyze/],
  [['zzz'], /unknown command 'zzz'\nSee: hotspan --help/],
  [['load', 'http://192.0.2.7/'], /expected an address of this machine; --allow-remote/],
  [['analyze', '--formt', 'json'], /unknown option '--formt'[\s\S]*--format/],
  [
    ['analyze', '--format', 'jsno'],
    /--format is "jsno"; expected one of text, json, markdown, html[\s\S]*--format json/,
  ],
  [['analyze', '--since', '15'], /--since is "15"; expected a duration such as 500ms, 30s, 15m/],
  [['analyze', '--from', 'yesterday'], /--from is "yesterday"; expected an ISO time/],
  [['analyze', '--since', '1h', '--from', '2026-01-01'], /--since cannot stand beside --from/],
  [
    ['analyze', '--from', '2026-01-02', '--to', '2026-01-01'],
    /--from is "2026-01-02"; expected a time before --to/,
  ],
  [['analyze', '--project', 'Shop!'], /--project is "Shop!"; expected 1 to 40 of a-z, 0-9 and _/],
  [['analyze', '--min-traces', '0'], /--min-traces is "0"; expected a whole number from 3 to 10000/],
  [['analyze', '--config', 'nowhere.ts'], /--config is "nowhere.ts"; expected a file that exists/],
  [['analyze', 'extra'], /too many arguments/],
  [['collector', '--otlp-port', '70000'], /--otlp-port is "70000"; expected a port from 0/],
  [['collector', '--max-store-gb', '0.01'], /--max-store-gb is "0.01"; expected gigabytes from 0.05/],
  [['collector', '--retention-days', 'x'], /--retention-days is "x"; expected days from 0/],
  [['sourcemaps', 'uplod', 'x'], /ACTION is "uplod"; expected one of upload/],
  [['sourcemaps', 'upload'], /missing required argument 'DIR'/],
  [['collector', '--clickhouse-port', 'x'], /--clickhouse-port is "x"; expected a port from 0/],
  [['collector', '--tls-cert', 'a.pem'], /--tls-cert needs --tls-key beside it/],
  [['collector', '--forward-to', 'host:4318'], /--forward-to is "host:4318"; expected the http:/],
  [['token', 'make'], /ACTION is "make"; expected one of create, list, revoke, limit/],
  [['token', 'create', '--kind', 'browser'], /a browser key needs the origins/],
  [['token', 'revoke'], /token revoke needs the ID/],
  [['token', 'limit', '--bytes-per-day', '-1'], /--bytes-per-day is "-1"; expected/],
  [['import', 'nowhere.json'], /nowhere.json cannot be read/],
  [['import', 'x', '--format', 'xml'], /--format is "xml"; expected one of otlp-json/],
  [['trace'], /missing required argument 'ID'/],
  [
    ['load', 'http://127.0.0.1:1', '--rate', 'fast'],
    /--rate is "fast"; expected a number from 0.001 to 20000/,
  ],
  [['load', 'ftp://x'], /URL is "ftp:\/\/x"; expected an http:\/\/ or https:\/\/ address/],
  [['load', 'http://192.0.2.1/'], /--allow-remote/],
  [
    ['load', 'http://127.0.0.1:1', '--endpoint', 'products'],
    /--endpoint is "products"; expected a path such as/,
  ],
  [['lighthouse', 'shop'], /URL is "shop"; expected an http/],
  [['check', '--budget', 'p95=250'], /--budget is "p95=250"; expected/],
  [['dev', '--pageport', '1', '--', 'node'], /unknown option '--pageport'[\s\S]*--page-port/],
]

test.each(usageErrors)(
  '%j ends with 2 and names what was wrong',
  { timeout: 60_000 },
  async (args, message) => {
    await inTemporaryDirectory(async (cwd) => {
      const { exitCode, stdout, stderr } = await runCli(args, { cwd })
      expect(stderr).toMatch(message)
      expect(stderr).not.toContain('    at ')
      expect(stdout).toBe('')
      expect(exitCode).toBe(2)
    })
  },
)

const configErrors: [string, RegExp][] = [
  ['export default { pagePort: "http" }', /pagePort in hotspan.config.ts is "http"; expected a port from 0/],
  ['export default { pagePort: "4319" }', /pagePort in hotspan.config.ts is "4319"; expected a port from 0/],
  [
    'export default { analysis: { minTrace: 3 } }',
    /unknown configuration key "analysis.minTrace"[\s\S]*analysis.minTraces\?/,
  ],
  ['export default { datadir: "x" }', /unknown configuration key "datadir"[\s\S]*Did you mean dataDir\?/],
  [
    'export default { budgets: ["p95<=250ms", 7] }',
    /budgets\[1\] in hotspan.config.ts is 7; expected a budget/,
  ],
  ['export default { budgets: ["p95<250"] }', /budgets\[0\] in hotspan.config.ts is "p95<250"; expected/],
  ['export const x: number = 1', /hotspan.config.ts has no default export/],
  ['export default {', /hotspan.config.ts cannot be loaded/],
]

test.each(configErrors)(
  'configuration %s is refused by name',
  { timeout: 60_000 },
  async (source, message) => {
    await inTemporaryDirectory(async (cwd) => {
      await writeFile(join(cwd, 'package.json'), '{"type":"module"}')
      await writeFile(join(cwd, 'hotspan.config.ts'), source)
      const { exitCode, stderr } = await runCli(['check'], { cwd })
      expect(stderr).toMatch(message)
      expect(exitCode).toBe(2)
    })
  },
)

test('flags win over variables, variables over the file', { timeout: 60_000 }, async () => {
  await inTemporaryDirectory(async (cwd) => {
    await writeFile(join(cwd, 'package.json'), '{"type":"module"}')
    await writeFile(join(cwd, 'hotspan.config.ts'), 'export default { otlpHttpPort: 11 }')
    const listens = async (args: string[], env: NodeJS.ProcessEnv): Promise<string> => {
      const { stdout } = await runCli(['doctor', '--format', 'json', ...args], { cwd, env })
      const { checks } = JSON.parse(stdout) as { checks: { id: string; found: string }[] }
      return checks.find((check) => check.id === 'collector')!.found
    }
    expect(await listens([], {})).toContain(':11')
    expect(await listens([], { HOTSPAN_OTLP_PORT: '12' })).toContain(':12')
    await writeFile(join(cwd, 'package.json'), '{}')
    expect((await runCli(['doctor'], { cwd })).stderr).toBe('')
    const { stderr, exitCode } = await runCli(['doctor'], { cwd, env: { HOTSPAN_OTLP_PORT: 'x' } })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('HOTSPAN_OTLP_PORT is "x"; expected a port')
  })
})
