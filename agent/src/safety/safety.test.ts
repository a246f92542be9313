import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hotspanEsbuild } from '../esbuild.ts'
import { type Postgres, postgresMissing, startPostgres } from '../testing/postgres.ts'
import { attributesOf, byHand, named, only, type Sink, startSink } from '../testing/sink.ts'
import { startApp, type TestApp } from '../testing/test-app.ts'

let sink: Sink
let app: TestApp | undefined
beforeEach(async () => {
  sink = await startSink()
})
afterEach(async () => {
  await app?.end('SIGKILL')
  app = undefined
  await sink.close()
})

describe('an uncaught error', () => {
  const start = async (env: Record<string, string>): Promise<TestApp> => {
    app = await startApp('crash-app.mjs', { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...env })
    return app
  }
  /** The request has no answer when its server dies. */
  const crash = (): Promise<unknown> => fetch(`${app!.url}/crash`).catch(() => undefined)

  test.each(['throw', 'reject'])(
    '%s: the process dies as it does without us, and its spans arrive',
    async (how) => {
      const { url, ended, stderr } = await start({ HOW: how })
      await fetch(`${url}/fine`).then((answer) => answer.text())
      await crash()
      expect(await ended).toEqual({ code: 1, signal: null })
      expect(stderr()).toContain('RangeError: nobody catches this')
      const failed = only(sink.spans, 'about to fail')
      expect(failed.status).toEqual({ code: 2, message: 'nobody catches this' })
      expect(failed.events).toMatchObject([{ name: 'exception' }])
      expect(attributesOf(failed)).toMatchObject({ 'error.type': 'RangeError' })
      const servers = named(sink.spans, 'GET')
      expect(servers.map(({ status }) => status.code).sort()).toEqual([0, 2])
      expect(failed.parentSpanId).toBe(servers.find(({ status }) => status.code === 2)!.spanId)
    },
  )

  test('one that the app handles ends the spans and nothing else', async () => {
    const { printed, url } = await start({ HANDLED: '1' })
    const asked = crash()
    await printed((line) => line.handled === true)
    const failed = only(
      await sink.until((spans) => named(spans, 'about to fail').length === 1),
      'about to fail',
    )
    expect(failed.status.code).toBe(2)
    expect((await fetch(`${url}/fine`)).status).toBe(200)
    await app!.end('SIGKILL')
    await asked
  })

  test('an endpoint that never answers does not keep a dying process for long', async () => {
    const mute = createServer(() => {}).listen(0, '127.0.0.1')
    await new Promise((resolve) => mute.once('listening', resolve))
    const { port } = mute.address() as { port: number }
    const { ended } = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      HOTSPAN_FLUSH_DEADLINE_MS: '300',
    })
    await crash()
    expect(await ended).toEqual({ code: 1, signal: null })
    mute.close()
  })
})

describe('more than one process', () => {
  test('a forked child has an agent of its own', async () => {
    app = await startApp('family-app.mjs', { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, FAMILY: 'fork' })
    const told = await app.printed((line) => 'child' in line)
    expect(told.code).toBe(0)
    await app.ended
    const spans = byHand(sink.spans)
    expect(spans.map(({ name }) => name).sort()).toEqual(['child', 'parent'])
    const pids = spans.map(({ resource }) => attributesOf(resource)['process.pid'])
    expect(pids).toContain(told.child)
    expect(new Set(spans.map(({ resource }) => attributesOf(resource)['service.instance.id'])).size).toBe(2)
  })

  test("a cluster's workers are traced apart and send what they hold when they are told to end", async () => {
    app = await startApp('family-app.mjs', { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, FAMILY: 'cluster' })
    const { pids } = (await app.printed(() => true)) as { pids: number[] }
    const answered = new Set<number>()
    let requests = 0
    while (answered.size < 2) {
      answered.add(Number(await fetch(app.url).then((answer) => answer.text())))
      requests++
    }
    await app.end()
    const servers = sink.spans.filter(({ kind }) => kind === 2)
    expect(servers).toHaveLength(requests)
    const seen = new Set(servers.map(({ resource }) => attributesOf(resource)['process.pid']))
    expect(seen).toEqual(new Set(pids))
  })
})

describe.skipIf(postgresMissing() !== undefined)('bundles of esbuild, with a real PostgreSQL', () => {
  let postgres: Postgres
  let folder: string
  beforeAll(async () => {
    postgres = await startPostgres()
    // Inside the package, where the bundle finds what stays outside of it.
    folder = mkdtempSync(fileURLToPath(new URL('../../test-apps/bundle-', import.meta.url)))
  }, 60_000)
  afterAll(() => {
    postgres?.stop()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  const entry = (file: string): string => fileURLToPath(new URL(`../../test-apps/${file}`, import.meta.url))
  const run = async (file: string, agent: boolean): Promise<void> => {
    const name = `${folder.slice(folder.lastIndexOf('/') + 1)}/${file}`
    app = await startApp(name, { ...postgres.env, OTEL_EXPORTER_OTLP_ENDPOINT: sink.url }, { agent })
  }
  /** One request; its spans by name. */
  const ask = async (): Promise<{ names: string[]; lines: Record<string, unknown>[] }> => {
    const lines = (await fetch(`${app!.url}/items/1`).then((answer) => answer.json())) as Record<
      string,
      unknown
    >[]
    await app!.end()
    const server = only(sink.spans, 'GET /items/:id')
    const inTrace = sink.spans.filter(({ traceId }) => traceId === server.traceId)
    return {
      names: inTrace
        .map(({ name }) => name)
        .filter((name) => name !== 'event_loop.stall')
        .sort(),
      lines,
    }
  }

  test.each(['cjs', 'esm'] as const)('%s with the plugin: packages inside are traced', async (format) => {
    const file = `plugin.${format === 'cjs' ? 'cjs' : 'mjs'}`
    await build({
      entryPoints: [entry('bundle-entry.mjs')],
      outfile: join(folder, file),
      bundle: true,
      platform: 'node',
      format,
      external: ['pg-native'],
      plugins: [hotspanEsbuild()],
      // Packages inside an ESM bundle still require Node's own modules.
      ...(format === 'esm'
        ? {
            banner: {
              js: "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url)",
            },
          }
        : {}),
      logLevel: 'error',
    })
    await run(file, true)
    const { names, lines } = await ask()
    expect(names).toEqual(['GET /items/:id', 'SELECT', 'pg-pool.connect'])
    expect(lines[0]).toMatchObject({ msg: 'asked', trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) })
  })

  test('without it HTTP and the route are, and what was not handed over is not', async () => {
    await build({
      entryPoints: [entry('bundle-entry.mjs')],
      outfile: join(folder, 'plain.cjs'),
      bundle: true,
      platform: 'node',
      format: 'cjs',
      external: ['pg-native'],
      logLevel: 'error',
    })
    await run('plain.cjs', true)
    expect((await ask()).names).toEqual(['GET /items/:id'])
  })

  test('the agent itself inside the bundle, packages handed over by hand', async () => {
    await build({
      entryPoints: [entry('bundle-inside.mjs')],
      outfile: join(folder, 'inside.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['pg-native', '@datadog/pprof'],
      banner: {
        js: "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url)",
      },
      logLevel: 'error',
    })
    await run('inside.mjs', false)
    expect((await ask()).names).toEqual(['GET /items/:id', 'SELECT', 'pg-pool.connect'])
  })
})
