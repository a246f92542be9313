import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { postgresMissing } from './testing/requirements.ts'

const reason = postgresMissing()
const script = fileURLToPath(new URL('../dist/start.js', import.meta.url))

test('an unknown fault is a usage error', async () => {
  const shop = spawn(process.execPath, [script], {
    env: { ...process.env, SHOP_FAULTS: 'everything' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const said: string[] = []
  shop.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  const [code] = await once(shop, 'close')
  expect(code).toBe(2)
  expect(said.join('')).toContain('"everything"; valid: all, missing-index')
})

test.skipIf(reason)(
  'the command serves the shop, and an interrupt removes all that it made',
  { timeout: 180_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hotspan-shop-test-'))
    // PostgreSQL runs as another user when this is root.
    chmodSync(folder, 0o755)
    const shop = spawn(process.execPath, [script], {
      env: { ...process.env, TMPDIR: folder, SHOP_FAULTS: 'small-pool', OTEL_EXPORTER_OTLP_ENDPOINT: '' },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const ours = () => readdirSync(folder).filter((name) => name.startsWith('hotspan-shop-'))
    const ended = once(shop, 'exit')
    try {
      const [url] = await once(createInterface(shop.stdout), 'line')
      expect((await fetch(`${url}/api/categories`)).status).toBe(200)
      expect(ours().length).toBe(2)
    } finally {
      shop.kill('SIGINT')
    }
    expect(await ended).toEqual([0, null])
    expect(ours()).toEqual([])
    rmSync(folder, { recursive: true, force: true })
  },
)
