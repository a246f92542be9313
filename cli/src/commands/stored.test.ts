import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inTemporaryDirectory, isAlive, runCli, startCli, until } from '../testing/run-cli.ts'

const appSource = `
import { createServer } from 'node:http'
const server = createServer((request, response) => {
  response.end('hello ' + request.url)
})
server.listen(0, '127.0.0.1', () => console.log('app ' + process.pid + ' http://127.0.0.1:' + server.address().port))
process.on('SIGINT', () => server.close(() => process.exit(7)))
process.on('SIGTERM', () => server.close(() => process.exit(9)))
`

test('analyze of an empty store says so, in every format', { timeout: 120_000 }, async () => {
  await inTemporaryDirectory(async (cwd) => {
    await runCli(['migrate'], { cwd })
    const { exitCode, stdout } = await runCli(['analyze', '--format', 'json'], { cwd })
    expect(exitCode).toBe(0)
    const report = JSON.parse(stdout) as {
      coverage: { spans: number }
      findings: unknown[]
      schemaVersion: number
    }
    expect(report).toMatchObject({ schemaVersion: 1, coverage: { spans: 0, traces: 0 }, findings: [] })
    const text = await runCli(['analyze'], { cwd })
    expect(text.stdout).toContain('nothing to judge: the window holds no spans')
    const html = await runCli(['analyze', '--format', 'html', '--output', 'out/report.html'], { cwd })
    expect(html.stdout).toBe('')
    expect(html.stderr).toContain('wrote out/report.html')
  })
})

test('reading from a directory that is not there makes none', { timeout: 120_000 }, async () => {
  await inTemporaryDirectory(async (cwd) => {
    for (const command of [['analyze'], ['trace', 'abcd'], ['backup', 'copy']]) {
      const { exitCode, stderr } = await runCli([...command, '--data-dir', 'typo'], { cwd })
      expect(exitCode).toBe(2)
      expect(stderr).toContain('there is no store in typo (HS_SET_UP)')
      expect(existsSync(join(cwd, 'typo'))).toBe(false)
    }
  })
})

test('trace of an unknown id says where to look', { timeout: 120_000 }, async () => {
  await inTemporaryDirectory(async (cwd) => {
    await runCli(['migrate'], { cwd })
    const unknown = await runCli(['trace', 'abcdef'], { cwd })
    expect(unknown.exitCode).toBe(2)
    expect(unknown.stderr).toContain('no trace starts with abcdef in project default')
    const wrong = await runCli(['trace', 'xyz'], { cwd })
    expect(wrong.stderr).toContain('ID is "xyz"; expected a trace id')
  })
})

test('dev runs a real server with the real agent; its trace can be asked for live and afterwards; SIGINT leaves nothing', {
  timeout: 240_000,
}, async () => {
  await inTemporaryDirectory(async (cwd) => {
    await writeFile(join(cwd, 'app.mjs'), appSource)
    const dev = startCli(
      [
        'dev',
        '--otlp-port',
        '0',
        '--page-port',
        '0',
        '--service',
        'ten-lines',
        '--',
        process.execPath,
        'app.mjs',
      ],
      { cwd },
    )
    const [, pid = '', address = ''] = await dev.waitFor(/app (\d+) (http:\S+)/)
    const [, page = ''] = await dev.waitFor(/page (http:\S+?)\/?\s/)
    for (let n = 0; n < 13; n++)
      expect(await (await fetch(`${address}/items/${n}`)).text()).toBe(`hello /items/${n}`)

    type Findings = {
      schemaVersion: number
      digest: string
      coverage: { spans: number; services: { name: string }[] }
    }
    const findings = await until(async () => {
      const answer = (await (await fetch(`${page}/api/v1/findings`)).json()) as Findings
      return answer.coverage.spans >= 13 ? answer : undefined
    })
    expect(findings.schemaVersion).toBe(1)
    expect(findings.coverage.services).toEqual([{ name: 'ten-lines', spans: expect.any(Number) }])
    const html = await (await fetch(`${page}/`)).text()
    expect(html).toContain(`data-digest="`)
    expect((await fetch(`${page}/api/v1/traces/${'0'.repeat(32)}`)).status).toBe(404)

    dev.child.kill('SIGINT')
    const { exitCode } = await dev.ended
    expect(exitCode).toBe(7)
    expect(isAlive(Number(pid))).toBe(false)
    await expect(fetch(`${page}/`)).rejects.toThrow()

    // The engine let go of the directory: another command owns it now, and every span is there.
    const { stdout } = await runCli(['analyze', '--format', 'json'], { cwd })
    expect((JSON.parse(stdout) as Findings).coverage.spans).toBeGreaterThanOrEqual(13)
  })
})

test('dev ends with the exit code of a command that ends by itself, or that cannot be started', {
  timeout: 120_000,
}, async () => {
  await inTemporaryDirectory(async (cwd) => {
    const ports = ['--otlp-port', '0', '--page-port', '0']
    const five = await runCli(['dev', ...ports, '--', process.execPath, '-e', 'process.exit(5)'], { cwd })
    expect(five.exitCode).toBe(5)
    const none = await runCli(['dev', ...ports, '--', 'no-such-program-here'], { cwd })
    expect(none.exitCode).toBe(2)
    expect(none.stderr).toContain('no-such-program-here cannot be started')
  })
})

test('collector prints its addresses, takes OTLP, and trace shows it by a prefix', {
  timeout: 120_000,
}, async () => {
  await inTemporaryDirectory(async (cwd) => {
    const collector = startCli(['collector', '--otlp-port', '0', '--page-port', '0'], { cwd })
    const [, otlp = ''] = await collector.waitFor(/^otlp (http:\S+?)\/?$/m)
    const [, page = ''] = await collector.waitFor(/^page (http:\S+?)\/?$/m)
    const startNs = BigInt(Date.now()) * 1_000_000n
    const span = (
      traceId: string,
      spanId: string,
      parentSpanId: string,
      name: string,
      offsetMs: number,
      durationMs: number,
      kind: number,
      attributes: [string, string][],
    ) => ({
      traceId,
      spanId,
      parentSpanId,
      name,
      kind,
      startTimeUnixNano: String(startNs + BigInt(offsetMs) * 1_000_000n),
      endTimeUnixNano: String(startNs + BigInt(offsetMs + durationMs) * 1_000_000n),
      attributes: attributes.map(([key, stringValue]) => ({ key, value: { stringValue } })),
    })
    const one = 'aaaa1'.padEnd(32, '0')
    const two = 'aaaa2'.padEnd(32, '0')
    const spans = [one, two].flatMap((id) => [
      span(id, '1'.repeat(16), '', 'GET /products', 0, 240, 2, []),
      span(id, '2'.repeat(16), '1'.repeat(16), 'SELECT products', 20, 200, 3, [
        ['db.system.name', 'postgresql'],
        ['db.query.text', 'SELECT * FROM products WHERE id = $1'],
      ]),
    ])
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop-api' } }] }
    const body = JSON.stringify({
      resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'test' }, spans }] }],
    })
    const sent = await fetch(`${otlp}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    expect(sent.status).toBe(200)
    type TraceDocument = {
      traceId: string
      durationMs: number
      spans: { name: string; critical: boolean; startNs: string }[]
    }
    const live = await until(async () => {
      const answer = await fetch(`${page}/api/v1/traces/${one}`)
      return answer.status === 200 ? ((await answer.json()) as TraceDocument) : undefined
    })
    expect(live.durationMs).toBe(240)
    expect(await (await fetch(`${page}/traces/${one}`)).text()).toContain('SELECT products')

    // While the collector owns the directory, other commands ask through it.
    const text = await runCli(['trace', 'aaaa1'], { cwd })
    expect(text.stdout).toMatch(/^\* {2}GET \/products/m)
    expect(text.stdout).toMatch(/^\* {3}SELECT products .*200 ms \|/m)
    expect(text.stdout).toContain('SELECT * FROM products WHERE id = $1')
    const json = JSON.parse(
      (await runCli(['trace', 'AAAA1', '--format', 'json'], { cwd })).stdout,
    ) as TraceDocument
    expect(json).toEqual(live)
    expect(json.spans.every((each) => each.critical)).toBe(true)
    const both = await runCli(['trace', 'aaaa'], { cwd })
    expect(both.exitCode).toBe(2)
    expect(both.stderr).toContain('2 traces start with aaaa')
    expect(both.stderr).toContain(one)

    collector.child.kill('SIGTERM')
    expect((await collector.ended).exitCode).toBe(0)
  })
})

test('load records a run that check can judge', { timeout: 120_000 }, async () => {
  await inTemporaryDirectory(async (cwd) => {
    const server = createServer((_request, response) => response.end('ok'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hello`
    try {
      const none = await runCli(['check', '--budget', 'p95<=250ms'], { cwd })
      expect(none.exitCode).toBe(2)
      expect(none.stderr).toContain('hotspan load')

      const load = await runCli(
        ['load', url, '--rate', '200', '--duration', '2s', '--seed', '7', '--format', 'json'],
        { cwd },
      )
      expect(load.stderr).toBe('')
      expect(load.exitCode).toBe(0)
      const run = JSON.parse(load.stdout) as { id: string; seed: number; metrics: Record<string, unknown> }
      expect(run).toMatchObject({ seed: 7, kind: 'load', model: 'open' })
      expect(run.metrics).toHaveProperty(['latency.p95'])

      const pass = await runCli(
        ['check', '--budget', 'p50<=5000ms', '--budget', 'error_rate<=0.5', '--format', 'json'],
        { cwd },
      )
      expect(pass.exitCode).toBe(0)
      expect(JSON.parse(pass.stdout)).toMatchObject({ schemaVersion: 1, verdict: 'pass' })
      const fail = await runCli(['check', '--run', run.id, '--budget', 'p50<=0.000001ms'], { cwd })
      expect(fail.exitCode).toBe(1)
      expect(fail.stdout).toMatch(/fail/i)
      const markdown = await runCli(['check', '--budget', 'p50<=0.000001ms', '--format', 'markdown'], { cwd })
      expect(markdown.stdout).toMatch(/^## Hotspan: fail/)
    } finally {
      server.close()
    }
  })
})

test('doctor says what works, in text and json', { timeout: 120_000 }, async () => {
  await inTemporaryDirectory(async (cwd) => {
    const { stdout } = await runCli(['doctor', '--format', 'json'], { cwd })
    const { checks } = JSON.parse(stdout) as { checks: { id: string; state: string; fix: string }[] }
    const states = new Map(checks.map((check) => [check.id, check.state]))
    expect(states.get('node')).toBe('ok')
    expect(states.get('chdb')).toBe('ok')
    expect(states.get('agent')).toBe('ok')
    for (const check of checks) if (check.state !== 'ok') expect(check.fix).not.toBe('')
    expect((await runCli(['doctor'], { cwd })).stdout).toMatch(/^ok +node/m)
  })
})

test('a running collector is backed up, the backup is restored, and doctor shows what the store takes', {
  timeout: 120_000,
}, async () => {
  await inTemporaryDirectory(async (cwd) => {
    const ports = ['--otlp-port', '0', '--page-port', '0']
    const collector = startCli(['collector', ...ports, '--max-store-gb', '2', '--retention-days', '7'], {
      cwd,
    })
    const page = (await collector.waitFor(/page (http:\S+)/))[1]!
    const otlp = (await collector.waitFor(/otlp (http:\S+)/))[1]!
    await collector.waitFor(/Ready/)
    const span = {
      traceId: 'ab'.repeat(16),
      spanId: 'cd'.repeat(8),
      name: 'GET /kept',
      kind: 2,
      startTimeUnixNano: `${Date.now()}000000`,
      endTimeUnixNano: `${Date.now() + 7}000000`,
    }
    const sent = await fetch(`${otlp}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
    })
    expect(sent.status).toBe(200)
    expect(await (await fetch(page)).text()).toMatch(/store \S+ \S+ of 2 GB, kept 7 days, /)
    const backup = await runCli(['backup', 'copy.tar'], { cwd })
    expect(backup.stdout).toMatch(/^wrote copy\.tar\n1 spans of default, /)
    const owned = await runCli(['restore', 'copy.tar'], { cwd })
    expect(owned.exitCode).toBe(2)
    expect(owned.stderr).toContain('HS_STORE_OWNED')
    collector.child.kill('SIGTERM')
    expect((await collector.ended).exitCode).toBe(0)

    const migrated = await runCli(['migrate'], { cwd })
    expect(migrated.stdout).toBe('the tables of hotspan_default on .hotspan are up to date\n')
    const restored = await runCli(['restore', 'copy.tar', '--data-dir', 'other', '--format', 'json'], { cwd })
    expect(JSON.parse(restored.stdout)).toMatchObject({ schemaVersion: 1, spans: 1, movedTo: null })
    const again = await runCli(['restore', 'copy.tar', '--data-dir', 'other'], { cwd })
    expect(again.stdout).toContain('what was there is kept in other/store.before-restore-')
    const trace = await runCli(['trace', 'abab', '--data-dir', 'other', '--format', 'json'], { cwd })
    expect(trace.stdout).toContain('GET /kept')
    const doctor = await runCli(['doctor', '--data-dir', 'other'], { cwd })
    expect(doctor.stdout).toMatch(/ok +store +\S+ \S+, cap 10 GB, kept 30 days; journal/)
    expect(doctor.stdout).toMatch(/warning +moved aside /)
  })
})
