import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createCollector } from './collector.ts'
import { requirePorts } from './listening.ts'
import { freePort } from './test-support/free-port.ts'
import { temporaryDirectory } from './test-support/temporary-directory.ts'

async function takenPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

test('a taken port names the option and its flag, and no directory is made for it', async () => {
  const dataDir = join(temporaryDirectory(), 'new', '.hotspan')
  const port = await takenPort()
  const start = (ports: object) =>
    createCollector({ dataDir, otlpHttpPort: 0, pagePort: 0, ...ports, onEvent: () => undefined })
  const cases = [
    ['otlpHttpPort', '--otlp-port'],
    ['otlpGrpcPort', '--otlp-grpc-port'],
    ['clickHousePort', '--clickhouse-port'],
    ['pagePort', '--page-port'],
  ] as const
  for (const [option, flag] of cases) {
    await expect(start({ [option]: port })).rejects.toMatchObject({
      code: 'HS_PORT_TAKEN',
      message: expect.stringMatching(new RegExp(`^port ${port} on 127.0.0.1 is taken.*${flag} .*${option}`)),
    })
  }
  expect(existsSync(join(dataDir, '..'))).toBe(false)
})

test('one port for two listeners is taken too; free ones are free again afterwards', async () => {
  const port = await freePort()
  await expect(
    requirePorts('127.0.0.1', [
      ['otlpHttpPort', port],
      ['clickHousePort', null],
      ['pagePort', port],
    ]),
  ).rejects.toThrow(/--page-port/)
  await requirePorts('127.0.0.1', [['pagePort', port]])
  await requirePorts('127.0.0.1', [['pagePort', port]])
})

// 192.0.2.0/24 is for documentation: no machine has such an address.
test.each(['192.0.2.7', '300.1.1.1'])('an address of another machine: %s', async (host) => {
  const dataDir = join(temporaryDirectory(), '.hotspan')
  await expect(createCollector({ dataDir, host, otlpHttpPort: 0, pagePort: 0 })).rejects.toMatchObject({
    code: 'HS_ADDRESS',
    message: expect.stringContaining(`--host (option host) is "${host}"`),
  })
  expect(existsSync(dataDir)).toBe(false)
})
