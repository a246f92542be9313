import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inTemporaryDirectory, runCli, startCli, until } from '../testing/run-cli.ts'

test('token, import and the doors of one collector', { timeout: 120_000 }, async () => {
  await inTemporaryDirectory(async (cwd) => {
    const traceId = 'ab'.repeat(16)
    const span = {
      traceId,
      id: 'cd'.repeat(8),
      name: 'from a file',
      timestamp: Date.now() * 1000,
      duration: 5,
    }
    await writeFile(join(cwd, 'zipkin.json'), JSON.stringify([span]))
    const token = async (...args: string[]) => {
      const result = await runCli(['token', ...args], { cwd })
      expect(result.exitCode, result.stderr).toBe(0)
      return result.stdout.trim()
    }
    const write = await token('create', '--project', 'shop')
    const read = await token('create', '--kind', 'read', '--project', 'shop')
    const collector = startCli(
      ['collector', '--otlp-port', '0', '--page-port', '0', '--clickhouse-port', '0', '--path-prefix', '/in'],
      { cwd },
    )
    try {
      const [, otlp = ''] = await collector.waitFor(/^otlp (http:\S+)$/m)
      const [, clickHouse = ''] = await collector.waitFor(/^clickhouse (http:\S+)$/m)
      await collector.waitFor(/^grpc http:\S+$/m)
      await collector.waitFor(/Ready/)

      const imported = await runCli(['import', 'zipkin.json', '--project', 'shop'], { cwd })
      expect(imported.stdout).toMatch(/^zipkin\.json {2}zipkin {2}1 span {2}20/)
      const send = (authorization: string) =>
        fetch(`${otlp}/in/v1/traces`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization },
          body: '{}',
        })
      expect((await send(`Bearer ${write}`)).status).toBe(200)
      expect((await send('Bearer hsw_wrong')).status).toBe(401)
      // Headers for another receiver do no harm.
      expect((await send('ApiKey of-somebody-else')).status).toBe(200)
      const names = async (): Promise<string> => {
        const answer = await fetch(`${clickHouse}/?query=SELECT+SpanName+FROM+otel_traces`, {
          headers: { 'x-clickhouse-key': read },
        })
        return await answer.text()
      }
      expect(await names()).toBe('from a file\n')

      const listed = JSON.parse(await token('list', '--format', 'json')) as {
        tokens: { id: string; kind: string }[]
      }
      expect(JSON.stringify(listed)).not.toContain('hash')
      await token('revoke', listed.tokens.find(({ kind }) => kind === 'read')!.id)
      await until(async () => ((await names()).includes('AUTHENTICATION_FAILED') ? true : undefined))
      expect((await runCli(['token', 'revoke', 'nope'], { cwd })).exitCode).toBe(2)
    } finally {
      collector.child.kill('SIGTERM')
      await collector.ended
    }
  })
})
