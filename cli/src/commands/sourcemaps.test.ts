import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { openStore, runQuery } from '@hotspan/collector'
import { expect, test } from 'vitest'
import { inTemporaryDirectory, runCli, startCli, until } from '../testing/run-cli.ts'

const buildId = '0123456789abcdef0123456789abcdef'
const manifest = (files: unknown) => JSON.stringify({ schemaVersion: 1, buildIds: [buildId], files })
/** With what Next.js names files by, and browsers escape. */
const file = { file: 'assets/[a].js', map: 'assets/a.js.map', functions: 'assets/a.js.functions.json' }
const map = '{"version":3,"file":"assets/a.js","names":[],"sources":["src/a.ts"],"mappings":"AAAA"}'
const functions =
  '{"schemaVersion":1,"lineStarts":[0],"names":["a"],"sources":["src/a.ts"],"functions":[["k1","t",0,9,0,0,1]]}'

const wrong: [string, Record<string, string>, RegExp][] = [
  ['no manifest', {}, /maps has no hotspan-build.json: it is no folder of source maps/],
  ['no JSON', { 'hotspan-build.json': '{' }, /hotspan-build.json is not JSON/],
  [
    'of another version',
    { 'hotspan-build.json': '{"schemaVersion":2}' },
    /has schemaVersion 2; this Hotspan reads 1/,
  ],
  [
    'no id',
    { 'hotspan-build.json': '{"schemaVersion":1,"buildIds":["x"],"files":[]}' },
    /buildIds .* is \["x"\]; expected ids/,
  ],
  ['no files', { 'hotspan-build.json': manifest([]) }, /the build has no script with a source map/],
  [
    'a path that leaves the folder',
    { 'hotspan-build.json': manifest([{ ...file, map: '../../etc/passwd' }]) },
    /expected file, map and functions as paths below the folder/,
  ],
  [
    'a missing file',
    { 'hotspan-build.json': manifest([file]) },
    /a.js.functions.json cannot be read: ENOENT/,
  ],
  [
    'a broken list',
    { 'hotspan-build.json': manifest([file]), [file.functions]: '{"schemaVersion":1}', [file.map]: map },
    /a.js.functions.json is no list of functions/,
  ],
  [
    'a broken map',
    { 'hotspan-build.json': manifest([file]), [file.functions]: functions, [file.map]: '{"version":2}' },
    /a.js.map is no source map of version 3/,
  ],
]

const writeFiles = async (folder: string, files: Record<string, string>): Promise<void> => {
  await mkdir(join(folder, 'maps/assets'), { recursive: true })
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, 'maps', name), content)
}

test.each(wrong)(
  'a folder with %s is refused by name',
  { timeout: 60_000 },
  async (_what, files, message) => {
    await inTemporaryDirectory(async (cwd) => {
      await writeFiles(cwd, files)
      const { exitCode, stdout, stderr } = await runCli(['sourcemaps', 'upload', 'maps'], { cwd })
      expect(stderr).toMatch(message)
      expect(stderr).toContain('HS_SOURCE_MAPS')
      expect(stdout).toBe('')
      expect(exitCode).toBe(2)
    })
  },
)

test('a build is stored, and stored again', { timeout: 120_000 }, async () => {
  await inTemporaryDirectory(async (cwd) => {
    await writeFiles(cwd, {
      'hotspan-build.json': manifest([file]),
      [file.functions]: functions,
      [file.map]: map,
    })
    const text = await runCli(['sourcemaps', 'upload', 'maps'], { cwd })
    expect(text.stderr).toBe('')
    expect(text.stdout).toBe(`build ${buildId}\n1 file, ${map.length + functions.length} bytes\n`)
    const again = await runCli(['sourcemaps', 'upload', 'maps', '--format', 'json'], { cwd })
    expect(JSON.parse(again.stdout)).toEqual({
      schemaVersion: 1,
      project: 'default',
      buildIds: [buildId],
      files: 1,
      bytes: map.length + functions.length,
    })
  })
})

test('maps go to a collector on another machine, with its token', {
  timeout: 240_000,
}, async () => {
  await inTemporaryDirectory(async (cwd) => {
    const here = join(cwd, 'ci')
    await writeFiles(here, {
      'hotspan-build.json': manifest([file]),
      [file.functions]: functions,
      [file.map]: map,
    })
    // An address that is not of this machine alone: the page asks for its token.
    const serving = [
      'collector',
      '--host',
      '0.0.0.0',
      '--otlp-port',
      '0',
      '--otlp-grpc-port',
      '0',
      '--page-port',
      '0',
    ]
    const collector = startCli(serving, { cwd })
    const [, port = ''] = await collector.waitFor(/^page http:\S+:(\d+)$/m)
    const url = `http://127.0.0.1:${port}`
    const { token } = JSON.parse(await readFile(join(cwd, '.hotspan/owner.json'), 'utf8')) as {
      token: string
    }
    const upload = (...more: string[]) =>
      runCli(['sourcemaps', 'upload', 'maps', '--url', url, ...more], {
        cwd: here,
        env: { HOTSPAN_PAGE_TOKEN: token },
      })

    const refused = await runCli(['sourcemaps', 'upload', 'maps', '--url', url], { cwd: here })
    expect(refused.stderr).toContain('asks for a token')
    expect(refused.stderr).toContain('HOTSPAN_PAGE_TOKEN')
    expect(refused.exitCode).toBe(2)
    const foreign = await upload('--project', 'other')
    expect(foreign.stderr).toContain('this collector keeps project default, not other')
    expect(foreign.exitCode).toBe(2)

    const sent = await upload('--format', 'json')
    expect(sent.stderr).toBe('')
    expect(JSON.parse(sent.stdout)).toMatchObject({ project: 'default', buildIds: [buildId], files: 1 })
    const damaged = await fetch(new URL('/api/v1/source-maps', url), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: gzipSync(JSON.stringify({ buildIds: [buildId], file: '../a.js', functions, map })),
    })
    expect([damaged.status, await damaged.text()]).toEqual([
      400,
      expect.stringContaining('no path below the folder'),
    ])

    collector.child.kill('SIGTERM')
    await collector.ended
    const gone = await upload()
    expect(gone.stderr).toContain(`no collector answers at ${url}`)
    expect(gone.exitCode).toBe(2)
    // Nothing was opened where the command ran, and what was sent is where the collector ran.
    expect(await readdir(here)).toEqual(['maps'])
    const store = await openStore({ dataDir: join(cwd, '.hotspan') })
    const kept = await runQuery(store, 'SELECT build_ids, file, map FROM hotspan_source_maps', {})
    await store.close()
    expect(kept).toEqual([{ build_ids: [buildId], file: file.file, map }])
  })
})

test.each(['collector.example', 'ftp://collector.example'])('--url %s is refused', async (address) => {
  const { stderr, exitCode } = await runCli(['sourcemaps', 'upload', 'maps', '--url', address])
  expect(stderr).toContain(`--url is`)
  expect(exitCode).toBe(2)
})

const traceId = '0123456789abcdef0123456789abcdef'
const text = (key: string, value: string) => ({ key, value: { stringValue: value } })
const resource = { attributes: [text('service.name', 'shop-web'), text('hotspan.build.id', buildId)] }
const nowNs = () => `${BigInt(Date.now()) * 1_000_000n}`

/** A page's request and error, as the browser SDK sends them. */
const pageTraces = () => ({
  resourceSpans: [
    {
      resource,
      scopeSpans: [
        {
          spans: [
            {
              traceId,
              spanId: 'b'.repeat(16),
              name: 'GET',
              kind: 3,
              startTimeUnixNano: nowNs(),
              endTimeUnixNano: nowNs(),
              attributes: [
                text('url.full', 'https://shop.test/api/cart'),
                text('code.function.name', 't'),
                text('code.file.path', '/shop/assets/%5Ba%5D.js'),
                { key: 'code.line.number', value: { intValue: '1' } },
                { key: 'code.column.number', value: { intValue: '5' } },
              ],
            },
          ],
        },
      ],
    },
  ],
})
const pageLogs = () => ({
  resourceLogs: [
    {
      resource,
      scopeLogs: [
        {
          logRecords: [
            {
              timeUnixNano: nowNs(),
              eventName: 'exception',
              traceId,
              spanId: 'b'.repeat(16),
              attributes: [
                text('exception.type', 'RangeError'),
                text('exception.message', 'refused'),
                text(
                  'exception.stacktrace',
                  'RangeError: refused\n    at t (https://shop.test/shop/assets/%5Ba%5D.js:1:5)',
                ),
              ],
            },
          ],
        },
      ],
    },
  ],
})

test('maps that come after the telemetry name what it sent, in the terminal and on the page', {
  timeout: 240_000,
}, async () => {
  await inTemporaryDirectory(async (cwd) => {
    await writeFiles(cwd, {
      'hotspan-build.json': manifest([file]),
      [file.functions]: functions,
      [file.map]: map,
    })
    const collector = startCli(['collector', '--otlp-port', '0', '--page-port', '0'], { cwd })
    const [, otlp = ''] = await collector.waitFor(/^otlp (http:\S+)$/m)
    const [, page = ''] = await collector.waitFor(/^page (http:\S+)$/m)
    const post = async (path: string, body: unknown) => {
      const response = await fetch(new URL(path, otlp), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      expect(response.status).toBe(200)
    }
    await post('/v1/logs', pageLogs())
    await post('/v1/traces', pageTraces())
    const shown = (): Promise<string> =>
      until(async () => {
        const { stdout, stderr } = await runCli(['trace', traceId], { cwd })
        if (stderr !== '') expect(stderr).toContain('no trace')
        return stdout.includes('1 error reported') ? stdout : undefined
      })
    expect(await shown()).toContain('at t (https://shop.test/shop/assets/%5Ba%5D.js:1:5)')
    const upload = await runCli(['sourcemaps', 'upload', 'maps'], { cwd })
    expect(upload.exitCode).toBe(0)
    const after = await shown()
    expect(after).toContain('at a (src/a.ts:1:1)')
    expect(after).toContain('src/a.ts:1  https://shop.test/api/cart')
    // The collector has looked for maps before: it looks again after three seconds.
    await until(async () => {
      const html = await (await fetch(new URL(`/traces/${traceId}`, page))).text()
      return html.includes('at a (src/a.ts:1:1)') ? true : undefined
    })
    collector.child.kill('SIGTERM')
    await collector.ended
  })
})
