import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

/**
 * The packages as a user gets them: packed, installed in an empty folder outside the repository, used there.
 */
const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

const published = [
  'otlp',
  'agent',
  'browser-sdk',
  'collector',
  'loadtests',
  'analyzers',
  'dashboards/grafana',
  'cli',
]

let folder = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hotspan-packed-'))
  const workspaces = published.flatMap((name) => ['-w', name])
  await run('npm', ['pack', '--silent', '--pack-destination', folder, ...workspaces], { cwd: root })
  const dependencies: Record<string, string> = {}
  for (const tarball of readdirSync(folder).filter((name) => name.endsWith('.tgz'))) {
    const { stdout } = await run('tar', ['-xzOf', join(folder, tarball), 'package/package.json'])
    dependencies[JSON.parse(stdout).name] = `file:${tarball}`
  }
  const versionOf = (name: string): string =>
    JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version
  for (const name of ['react', 'react-dom', 'vite']) dependencies[name] = versionOf(name)
  const manifest = { name: 'uses-hotspan', private: true, type: 'module', dependencies }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(folder, '.npmrc'), 'ignore-scripts=true\naudit=false\nfund=false\nprefer-offline=true\n')
  await run('npm', ['install', '--no-package-lock'], { cwd: folder, maxBuffer: 1 << 26 })
}, 600_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('every published package has a licence, a door with types, and no source of tests', async () => {
  for (const name of published) {
    const manifest = JSON.parse(readFileSync(join(root, name, 'package.json'), 'utf8'))
    const installed = join(folder, 'node_modules', manifest.name)
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' })
    expect(manifest.license).toBe('Apache-2.0')
    expect(files.filter((path) => /\.test\.(js|d\.ts)$/.test(path))).toEqual([])
    for (const [door, target] of Object.entries<{ types: string; default: string }>(manifest.exports)) {
      if (typeof target !== 'object') continue
      for (const path of [target.types, target.default])
        expect(files, `${manifest.name} ${door}`).toContain(path.slice(2))
      expect(files, `${manifest.name} ${door}`).toContain(`${target.default.slice(2)}.map`)
    }
  }
})

test('hotspan --help and --version answer', async () => {
  const bin = join(folder, 'node_modules', '.bin', 'hotspan')
  const help = await run(bin, ['--help'], { cwd: folder })
  for (const command of [
    'dev',
    'collector',
    'analyze',
    'trace',
    'load',
    'lighthouse',
    'check',
    'dashboards',
    'doctor',
    'backup',
    'restore',
    'migrate',
  ])
    expect(help.stdout).toContain(command)
  const version = await run(bin, ['--version'], { cwd: folder })
  expect(version.stdout.trim()).toMatch(/^\d+\.\d+\.\d+/)
})

const listing = `const server = createServer((request, response) => response.end('hello'))
server.listen(0, '127.0.0.1', async () => {
  const answer = await fetch('http://127.0.0.1:' + server.address().port + '/hello')
  console.log(await answer.text())
  server.close()
})
`
const tenLines = {
  'server.mjs': `import { createServer } from 'node:http'\n${listing}`,
  'server.cjs': `const { createServer } = require('node:http')\n${listing}`,
}

/** This Node, and those that set-up has brought. */
const nodes = [process.execPath, ...(process.env.HOTSPAN_AGENT_NODES ?? '').split(delimiter)]
  .filter((path) => path !== '')
  .map((path) => ({ path, version: execFileSync(path, ['--version'], { encoding: 'utf8' }).trim() }))

const tries = ['v20', 'v22', 'v24', 'v26'].flatMap((major) =>
  Object.entries(tenLines).map(([file, code]) => ({
    major,
    node: nodes.find(({ version }) => version.startsWith(`${major}.`)),
    file,
    code,
  })),
)
test.for(tries)(
  'the agent traces a ten-line server: $major, $file',
  async ({ major, node, file, code }, context) => {
    if (node === undefined) return context.skip(`no Node ${major} here; npm test brings it where it can`)
    writeFileSync(join(folder, file), code)
    const { decodeTraces } = await import('@hotspan/otlp')
    const names: string[] = []
    const sink = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      for (const resource of decodeTraces(Buffer.concat(chunks)).resourceSpans)
        for (const scope of resource.scopeSpans)
          for (const span of scope.spans) names.push(`${span.kind} ${span.name}`)
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
    sink.listen(0, '127.0.0.1')
    await once(sink, 'listening')
    const child = spawn(node.path, ['--import', '@hotspan/agent/register', file], {
      cwd: folder,
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        OTEL_SERVICE_NAME: 'ten-lines',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(sink.address() as AddressInfo).port}`,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    const [exitCode] = await once(child, 'exit')
    sink.close()
    expect(exitCode).toBe(0)
    expect(output).toBe('hello\n')
    // A busy machine may stop the loop for a while, which the agent rightly tells.
    const requests = names.filter((name) => !name.endsWith('event_loop.stall'))
    expect(requests.sort()).toEqual(['2 GET', '3 GET'])
  },
)

test('the browser SDK goes through a Vite build', async () => {
  writeFileSync(
    join(folder, 'index.html'),
    '<div id="root"></div><script type="module" src="/app.jsx"></script>',
  )
  writeFileSync(
    join(folder, 'app.jsx'),
    `import '@hotspan/browser/react'
import { init } from '@hotspan/browser'
import { createElement } from 'react'
import { createRoot } from 'react-dom/client'
init({ endpoint: '/otlp', service: 'packed' })
createRoot(document.getElementById('root')).render(createElement('p', null, 'hello'))
`,
  )
  writeFileSync(
    join(folder, 'vite.config.js'),
    `import { hotspan } from '@hotspan/browser/vite'
export default { plugins: [hotspan()] }
`,
  )
  await run(process.execPath, [join(folder, 'node_modules', 'vite', 'bin', 'vite.js'), 'build'], {
    cwd: folder,
  })
  const assets = readdirSync(join(folder, 'dist', 'assets')).filter((name) => name.endsWith('.js'))
  const text = assets.map((name) => readFileSync(join(folder, 'dist', 'assets', name), 'utf8')).join('')
  expect(text).toContain('traceparent')
  expect(text).toContain('hotspan.react.component')
  const build = JSON.parse(readFileSync(join(folder, 'hotspan-sourcemaps', 'hotspan-build.json'), 'utf8'))
  expect(text).toContain(`{"hotspan.build.id":"${build.buildIds[0]}"}`)
  expect(build.files.map(({ file }: { file: string }) => file)).toEqual(
    assets.map((name) => `assets/${name}`),
  )
})

test('the browser SDK has one file for script tags, and its plugin for webpack needs no webpack to be imported', async () => {
  const program = `
    const { HotspanPlugin } = await import('@hotspan/browser/webpack')
    const { createRequire } = await import('node:module')
    const script = createRequire(import.meta.resolve('@hotspan/browser')).resolve('@hotspan/browser/hotspan.iife.js')
    console.log(typeof new HotspanPlugin().apply, (await import('node:fs')).readFileSync(script, 'utf8').includes('var hotspan='))`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd: folder })
  expect(stdout).toBe('function true\n')
})
