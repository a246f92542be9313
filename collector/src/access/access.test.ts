import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeTraces } from '@hotspan/otlp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Collector, createCollector } from '../collector.ts'
import { openStore } from '../store.ts'
import { hex, madeSpan, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { Gate } from './gate.ts'
import { ProjectMeter } from './project-meter.ts'
import { accessFilePath, createToken, limitProject, readAccessFile, revokeToken } from './token-file.ts'

const quiet = () => undefined
const patient = { timeout: 30_000 }

describe('tokens at rest', () => {
  test('only the hash is kept, readable by the owner alone; a revoked token is gone', () => {
    const dataDir = temporaryDirectory()
    const { token, record } = createToken(dataDir, { kind: 'write', project: 'shop', label: 'api' })
    const path = accessFilePath(dataDir)
    expect(token).toMatch(/^hsw_[\w-]{32}$/)
    expect(readFileSync(path, 'utf8')).not.toContain(token.slice(4))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const gate = new Gate({ dataDir, project: 'default', required: true, onEvent: quiet })
    expect(gate.admit(token)).toMatchObject({ project: 'shop', kind: 'write' })
    expect(revokeToken(dataDir, record.id)).toBe(true)
    expect(revokeToken(dataDir, record.id)).toBe(false)
    const later = new Gate({ dataDir, project: 'default', required: true, onEvent: quiet })
    expect(() => later.admit(token)).toThrow('not known here')
  })

  test('a browser key without origins, a path as origin and a bad project name are refused', () => {
    const dataDir = temporaryDirectory()
    expect(() => createToken(dataDir, { kind: 'browser', project: 'shop' })).toThrow('needs the origins')
    expect(() =>
      createToken(dataDir, { kind: 'browser', project: 'shop', origins: ['https://shop.example/'] }),
    ).toThrow('expected scheme and host without a path')
    expect(() => createToken(dataDir, { kind: 'write', project: '../x' })).toThrow('expected 1 to 48')
  })

  test('processes that make tokens at the same time lose none', { timeout: 60_000 }, () => {
    const dataDir = temporaryDirectory()
    const script = join(dataDir, 'make.mjs')
    const module = new URL('./token-file.ts', import.meta.url).href
    writeFileSync(
      script,
      `import { createToken } from ${JSON.stringify(module)}
for (let i = 0; i < 7; i++) createToken(${JSON.stringify(dataDir)}, { kind: 'write', project: 'p' })`,
    )
    const node = JSON.stringify(process.execPath)
    execFileSync('sh', ['-c', `for i in 1 2 3; do ${node} ${script} & done; wait`])
    expect(readAccessFile(dataDir).tokens).toHaveLength(21)
  })

  test('with a damaged file nobody is let in by a token', () => {
    const dataDir = temporaryDirectory()
    const { token } = createToken(dataDir, { kind: 'write', project: 'shop' })
    writeFileSync(accessFilePath(dataDir), '{"schemaVersion":1,"tok')
    const events: string[] = []
    const gate = new Gate({
      dataDir,
      project: 'default',
      required: true,
      onEvent: (event) => events.push(event),
    })
    expect(() => gate.admit(token)).toThrow('not known here')
    expect(events[0]).toContain('access.json')
    expect(() => createToken(dataDir, { kind: 'write', project: 'shop' })).toThrow('cannot be read')
  })
})

test('a limit is set beside the others; null removes it; a project without a token is told', () => {
  const dataDir = temporaryDirectory()
  expect(limitProject(dataDir, 'shop', { bytesPerSec: 5, recordsPerDay: 7 }).hasToken).toBe(false)
  createToken(dataDir, { kind: 'write', project: 'shop' })
  expect(limitProject(dataDir, 'shop', { bytesPerDay: 6 })).toEqual({
    limits: { bytesPerSec: 5, recordsPerDay: 7, bytesPerDay: 6 },
    hasToken: true,
  })
  limitProject(dataDir, 'bank', { bytesPerDay: 1 })
  limitProject(dataDir, 'shop', { bytesPerSec: null, recordsPerDay: null })
  expect(readAccessFile(dataDir).limits).toEqual({ shop: { bytesPerDay: 6 }, bank: { bytesPerDay: 1 } })
  expect(limitProject(dataDir, 'shop', { bytesPerDay: null }).limits).toEqual({})
  expect(readAccessFile(dataDir).limits).toEqual({ bank: { bytesPerDay: 1 } })
})

describe('limits of a project', () => {
  const meterAt = (dataDir: string, limits: object) => {
    const clock = { ms: Date.UTC(2026, 10, 21, 23, 59, 0) }
    const meter = () =>
      new ProjectMeter(
        dataDir,
        (name) => (name === 'p' ? limits : {}),
        () => clock.ms,
      )
    return { clock, meter }
  }
  const failure = (run: () => void): unknown => {
    try {
      run()
      return null
    } catch (error) {
      return error
    }
  }

  test('bytes per second: a burst of ten seconds passes, then the debt is waited for', () => {
    const { clock, meter } = meterAt(temporaryDirectory(), { bytesPerSec: 100 })
    const m = meter()
    m.take('p', 900, 1)
    m.take('p', 600, 1)
    expect(failure(() => m.take('p', 1, 1))).toMatchObject({ status: 429, retryAfterSec: 5 })
    expect(failure(() => m.take('other', 1e9, 1e9))).toBeNull()
    clock.ms += 5100
    m.take('p', 1, 1)
  })

  test('a quota of the day outlives a restart and ends with the UTC day', () => {
    const dataDir = temporaryDirectory()
    const { clock, meter } = meterAt(dataDir, { bytesPerDay: 1000, recordsPerDay: 50 })
    const before = meter()
    before.take('p', 1000, 1)
    before.save()
    const after = meter()
    expect(failure(() => after.take('p', 1, 1))).toMatchObject({ status: 429, retryAfterSec: 60 })
    clock.ms += 60_000
    after.take('p', 1, 50)
    expect(failure(() => after.take('p', 1, 1))).toMatchObject({
      message: expect.stringContaining('50 records'),
    })
  })

  test('a body that does not fit into what is left of the day is refused whole, and nothing of it counts', () => {
    const { meter } = meterAt(temporaryDirectory(), { recordsPerDay: 50 })
    const m = meter()
    m.take('p', 1, 49)
    expect(failure(() => m.take('p', 1, 1_000_000))).toMatchObject({
      status: 429,
      message: expect.stringContaining('used 49 of its 50 records of today (UTC), and this body has 1000000'),
    })
    expect(m.today.p).toEqual({ bytes: 1, records: 49 })
    m.take('p', 1, 1)
    m.giveBack('p', 1)
    m.take('p', 1, 1)
    expect(failure(() => m.take('p', 1, 1))).not.toBeNull()
  })
})

describe.skipIf(missingEngine() !== null)('an intake that listens to a network', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-test-'))
  let collector: Collector
  let url: string
  const shop = createToken(dataDir, { kind: 'write', project: 'shop' })
  const bank = createToken(dataDir, { kind: 'write', project: 'bank' })
  const reader = createToken(dataDir, { kind: 'read', project: 'shop' })
  const page = createToken(dataDir, { kind: 'browser', project: 'shop', origins: ['https://shop.example'] })

  beforeAll(async () => {
    collector = await createCollector({ dataDir, host: '0.0.0.0', otlpHttpPort: 0, pagePort: 0 })
    url = collector.otlpUrl.replace('0.0.0.0', '127.0.0.1')
  }, 60_000)

  afterAll(async () => {
    await collector.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  let nextTrace = 1
  const send = async (
    headers: Record<string, string>,
    path = '/v1/traces',
    traceId = hex(nextTrace++, 32),
  ) => {
    const answer = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf', ...headers },
      body: Buffer.from(encodeTraces(tracesOf('s', [madeSpan(Date.now(), { traceId, spanId: hex(7, 16) })]))),
    })
    return { status: answer.status, headers: answer.headers, traceId }
  }
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

  test('needs a token, of the right kind, and says how', { timeout: 60_000 }, async () => {
    const none = await send({})
    expect(none.status).toBe(401)
    expect(none.headers.get('www-authenticate')).toBe('Bearer')
    expect((await send(bearer('hsw_wrong'))).status).toBe(401)
    expect((await send(bearer(reader.token))).status).toBe(403)
    expect((await send(bearer(shop.token))).status).toBe(200)
    const basic = Buffer.from(`any:${shop.token}`).toString('base64')
    expect((await send({ authorization: `Basic ${basic}` })).status).toBe(200)
    expect((await fetch(`${collector.pageUrl.replace('0.0.0.0', '127.0.0.1')}/api/v1/status`)).status).toBe(
      401,
    )
  })

  test('a browser key sends from its origins only, and from nowhere else', { timeout: 60_000 }, async () => {
    const origin = { origin: 'https://shop.example' }
    const inPath = `/k/${page.token}/v1/traces`
    expect((await send(origin, inPath)).status).toBe(200)
    const named = await send(origin, `/v1/traces?chunk=${hex(11, 16)}&key=${page.token}`)
    expect(named.status).toBe(200)
    expect(named.headers.get('access-control-allow-origin')).toBe('https://shop.example')
    expect((await send({ origin: 'https://evil.example' }, inPath)).status).toBe(403)
    expect((await send({ origin: 'http://localhost:3000' }, inPath)).status).toBe(403)
    expect((await send({}, inPath)).status).toBe(403)
    // A secret token in an address is refused even where it would be right.
    expect((await send(origin, `/k/${shop.token}/v1/traces`)).status).toBe(401)
    // The origin of the key does not open the door for a token that is not the key.
    expect((await send({ ...origin, ...bearer(shop.token) })).status).toBe(403)
    const preflight = await fetch(url + inPath, {
      method: 'OPTIONS',
      headers: { ...origin, 'access-control-request-method': 'POST' },
    })
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://shop.example')
  })

  test('spans of a project lie in its own database and nowhere else', { timeout: 60_000 }, async () => {
    const mine = await send(bearer(shop.token))
    const theirs = await send(bearer(bank.token))
    // The same body from another project is not a repetition.
    await send(bearer(bank.token), '/v1/traces', mine.traceId)
    await collector.flush()
    const traces = async (project: string): Promise<string[]> => {
      const store = await openStore({ dataDir, project })
      try {
        const answer = await store.client.query({
          query: 'SELECT TraceId FROM otel_traces',
          format: 'JSONEachRow',
        })
        return (await answer.json<{ TraceId: string }>()).map(({ TraceId }) => TraceId)
      } finally {
        await store.close()
      }
    }
    expect(await traces('shop')).toContain(mine.traceId)
    expect(await traces('shop')).not.toContain(theirs.traceId)
    expect((await traces('bank')).sort()).toEqual([mine.traceId, theirs.traceId].sort())
    expect(await traces('default')).toEqual([])
  })

  test('an unknown key in the address is 401 with that reason, from any page', {
    timeout: 60_000,
  }, async () => {
    for (const origin of ['https://shop.example', 'https://elsewhere.example'])
      for (const path of ['/k/nope/v1/traces', '/v1/traces?key=hsb_nope']) {
        const answer = await fetch(url + path, {
          method: 'POST',
          headers: { origin, 'content-type': 'application/json' },
          body: '{}',
        })
        expect(answer.status).toBe(401)
        expect(await answer.text()).toContain('is not known here')
      }
  })

  test('a limit and a revocation take effect while it runs', { timeout: 60_000 }, async () => {
    const { token, record } = createToken(dataDir, { kind: 'write', project: 'small' })
    await expect.poll(async () => (await send(bearer(token))).status, patient).toBe(200)
    const body = Buffer.from(
      encodeTraces(tracesOf('s', [madeSpan(Date.now(), { traceId: hex(77, 32), spanId: hex(7, 16) })])),
    )
    const sendAgain = () =>
      fetch(`${url}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf', ...bearer(token) },
        body,
      })
    expect((await sendAgain()).status).toBe(200)
    limitProject(dataDir, 'small', { recordsPerDay: 1 })
    await expect.poll(async () => (await send(bearer(token))).status, patient).toBe(429)
    expect(Number((await send(bearer(token))).headers.get('retry-after'))).toBeGreaterThan(0)
    // A body that is stored: its sender missed the answer.
    expect((await sendAgain()).status).toBe(200)
    expect((await send(bearer(shop.token))).status).toBe(200)
    revokeToken(dataDir, record.id)
    await expect.poll(async () => (await send(bearer(token))).status, patient).toBe(401)
    expect(collector.stats().rejected['rate-limit']).toBeGreaterThan(0)
  })
})

const noOpenssl = spawnSync('openssl', ['version']).status === 0 ? null : 'no openssl command'

describe.skipIf(missingEngine() !== null)('TLS', () => {
  test('intake and page speak it; a certificate that is none is refused', { timeout: 60_000 }, async ({
    skip,
  }) => {
    skip(noOpenssl !== null, noOpenssl ?? undefined)
    const dataDir = temporaryDirectory()
    const certFile = join(dataDir, 'cert.pem')
    const keyFile = join(dataDir, 'key.pem')
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
    const form = [
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ]
    execFileSync('openssl', ['req', ...form, ...subject, '-keyout', keyFile, '-out', certFile], {
      stdio: 'ignore',
    })
    const collector = await createCollector({
      dataDir,
      otlpHttpPort: 0,
      otlpGrpcPort: 0,
      pagePort: 0,
      tls: { certFile, keyFile },
    })
    try {
      const status = (target: string, method: string) =>
        new Promise<number>((resolve, reject) => {
          const asking = httpsRequest(
            target,
            { method, ca: readFileSync(certFile), headers: { 'content-type': 'application/json' } },
            (answer) => {
              answer.resume()
              resolve(answer.statusCode ?? 0)
            },
          )
          asking.once('error', reject)
          asking.end(method === 'POST' ? '{}' : undefined)
        })
      expect(collector.otlpUrl).toMatch(/^https:/)
      expect(collector.grpcUrl).toMatch(/^https:/)
      expect(await status(`${collector.otlpUrl}/v1/traces`, 'POST')).toBe(200)
      expect(await status(`${collector.pageUrl}/api/v1/status`, 'GET')).toBe(200)
    } finally {
      await collector.close()
    }
    await expect(
      createCollector({
        dataDir,
        otlpHttpPort: 0,
        pagePort: 0,
        tls: { certFile: keyFile, keyFile: certFile },
      }),
    ).rejects.toMatchObject({ code: 'HS_TLS' })
  })
})
