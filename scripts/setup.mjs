// Set-up without dependencies: runs on any Node >= 20 before a package is installed. Idempotent; says what it does and why it cannot.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

/** The Node that everything but the published agent is developed with. */
const nodeVersion = '24.21.0'
const oldestNodeMajor = 24
/** What the agent promises to run on besides: the oldest, and the newest of the other lines that are looked after. */
const agentNodeVersions = ['20.6.1', '22.23.3', '26.10.0']
/** What agent and browser SDK are tried in; 340 MB, which is why no workspace depends on it. */
const nextPackages = ['next@16.4.6', 'react@19.3.1', 'react-dom@19.3.1']

export const cacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hotspan')

const say = (text) => console.error(`set-up  ${text}`)

function fail(text) {
  console.error(`set-up  ${text}`)
  process.exit(2)
}

function run(title, command, args, options) {
  say(title)
  const startedMs = Date.now()
  const result = spawnSync(command, args, { encoding: 'utf8', ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  if (result.status !== 0) {
    const output = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`
      .trim()
      .split('\n')
      .filter((line) => !/Unknown user config/.test(line))
      .slice(0, 25)
      .join('\n')
    return { ok: false, output }
  }
  say(`  done in ${((Date.now() - startedMs) / 1000).toFixed(1)} s`)
  return { ok: true, output: result.stdout }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function inPath(...names) {
  for (const folder of (process.env.PATH ?? '').split(delimiter))
    for (const name of names) if (folder && isExecutable(join(folder, name))) return join(folder, name)
  return ''
}

/** Packages from the npm registry in a folder of the cache, unless `wanted` is there already. */
function bringPackages(folder, wanted, packages, title, variables) {
  if (existsSync(wanted)) return { ok: true, output: '' }
  mkdirSync(folder, { recursive: true })
  const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts']
  const result = run(title, 'npm', ['install', '--prefix', folder, ...flags, ...packages], { env: variables })
  return { ok: result.ok && existsSync(wanted), output: result.output }
}

/** A Node of that version in the cache; `path` is '' when it cannot be had. */
function bringNode(version, title, variables) {
  const packageName = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const folder = join(cacheFolder, `node-${version}`)
  const binary = process.platform === 'win32' ? 'node.exe' : 'node'
  const path = join(folder, 'node_modules', packageName, 'bin', binary)
  const { ok, output } = bringPackages(
    folder,
    path,
    [`${packageName}@${version}`],
    `${title}: bringing ${version} into ${folder}`,
    variables,
  )
  return { path: ok && isExecutable(path) ? path : '', output }
}

/** A Node >= 24: this one, or one brought from the npm registry into the cache. */
function findNode(variables) {
  if (Number(process.versions.node.split('.')[0]) >= oldestNodeMajor) return process.execPath
  const title = `Node ${process.versions.node} is older than ${oldestNodeMajor}`
  const { path, output } = bringNode(nodeVersion, title, variables)
  if (!path)
    fail(
      `Node ${nodeVersion} could not be had from the npm registry; install Node >= ${oldestNodeMajor} yourself.\n${output}`,
    )
  return path
}

/** Paths of the Nodes that the agent is tried on, as many as can be had. */
function findAgentNodes(variables) {
  return agentNodeVersions
    .map((version) => {
      const { path, output } = bringNode(version, 'for tests of the agent on other Nodes', variables)
      if (!path) say(`Node ${version} could not be had: the agent is not tried on it\n${output}`)
      return path
    })
    .filter((path) => path !== '')
}

/** The folder with Next.js in its node_modules; '' when it cannot be had. */
function findNext(variables) {
  const folder = join(cacheFolder, nextPackages.join('+').replaceAll('@', '-'))
  const { ok, output } = bringPackages(
    folder,
    join(folder, 'node_modules', 'next', 'dist', 'bin', 'next'),
    nextPackages,
    `for tests in Next.js: bringing ${nextPackages[0]} into ${folder}`,
    variables,
  )
  if (!ok) say(`Next.js could not be had: nothing is tried in it\n${output}`)
  return ok ? folder : ''
}

/** `npm ci` when the lockfile is not the one that was installed. */
function installPackages(root, variables) {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const marker = join(root, 'node_modules', '.hotspan-lockfile')
  if (existsSync(marker) && readFileSync(marker, 'utf8') === hash) return
  const result = run(
    'installing packages from the lockfile (about a minute)',
    'npm',
    ['ci', '--no-audit', '--no-fund'],
    { cwd: root, env: variables },
  )
  if (!result.ok) fail(`npm ci failed:\n${result.output}`)
  writeFileSync(marker, hash)
}

function findPostgres() {
  if (inPath('initdb') && inPath('pg_ctl')) return dirname(inPath('initdb'))
  const versions = existsSync('/usr/lib/postgresql')
    ? readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a))
    : []
  const version = versions.find((name) => isExecutable(`/usr/lib/postgresql/${name}/bin/initdb`))
  return version ? `/usr/lib/postgresql/${version}/bin` : ''
}

function findChromium() {
  const named = process.env.CHROME_PATH
  if (named)
    return isExecutable(named) ? named : fail(`CHROME_PATH is '${named}', which is no executable file`)
  const mac = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'
  return (
    inPath('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable') ||
    (isExecutable(mac) ? mac : '')
  )
}

/** Servers stand in sbin, which is not on everybody's path. */
const findServer = (name) => {
  if (inPath(name)) return inPath(name)
  return ['/usr/sbin', '/usr/local/sbin'].map((folder) => join(folder, name)).find(isExecutable) ?? ''
}

/** Real components that come from the system, not from npm. */
const components = {
  chromium: { find: findChromium, debian: 'chromium', mac: 'brew install --cask google-chrome' },
  postgres: { find: findPostgres, debian: 'postgresql', mac: 'brew install postgresql' },
  redis: { find: () => findServer('redis-server'), debian: 'redis-server', mac: 'brew install redis' },
  mariadb: {
    find: () => findServer('mariadbd') && inPath('mariadb-install-db'),
    debian: 'mariadb-server',
    mac: 'brew install mariadb',
  },
  rabbitmq: {
    find: () => findServer('rabbitmq-server'),
    debian: 'rabbitmq-server',
    mac: 'brew install rabbitmq',
  },
}

function installComponents(missing) {
  const packages = missing.map((name) => components[name].debian)
  const byHand = `apt-get install ${packages.join(' ')}`
  const apt = inPath('apt-get')
  if (!apt || process.getuid?.() !== 0) {
    const mac = missing.map((name) => components[name].mac).join(' && ')
    say(`${missing.join(' and ')} missing. As root: ${byHand}   (macOS: ${mac})`)
    return
  }
  // RUNLEVEL=1 keeps Debian's maintainer scripts from starting a database server of their own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const update = run('apt-get update', apt, ['update', '-qq'], { env })
  const install = run(
    `apt-get install ${packages.join(' ')}`,
    apt,
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
    { env },
  )
  if (!install.ok)
    say(
      `could not be had: ${missing.join(', ')}; try: ${byHand}\n${update.ok ? '' : update.output}${install.output}`,
    )
}

function build(root, nodePath, variables) {
  const turbo = join(root, 'node_modules', '.bin', 'turbo')
  const result = spawnSync(
    nodePath,
    [turbo, 'run', 'build', '--output-logs=errors-only', '--no-update-notifier'],
    { cwd: root, env: variables, encoding: 'utf8' },
  )
  if (result.status !== 0) fail(`build failed:\n${result.stdout}${result.stderr}`)
}

/**
 * Brings packages, Node >= 24, the named system components and the build up to date; with `forTests` other Nodes (their paths
 * stand in HOTSPAN_AGENT_NODES) and Next.js (its folder in HOTSPAN_NEXT_PACKAGES) too.
 * @returns the Node to go on with and the environment for it.
 */
export async function setUp({ root, needs, forTests = false, build: mustBuild }) {
  const variables = {
    ...process.env,
    TURBO_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
    PUPPETEER_SKIP_DOWNLOAD: '1',
  }
  const nodePath = findNode(variables)
  variables.PATH = [dirname(nodePath), process.env.PATH].join(delimiter)
  installPackages(root, variables)
  const missing = needs.filter((name) => !components[name].find())
  if (missing.length > 0) installComponents(missing)
  const chromium = findChromium()
  if (chromium) variables.CHROME_PATH = chromium
  if (forTests) {
    variables.HOTSPAN_AGENT_NODES = findAgentNodes(variables).join(delimiter)
    variables.HOTSPAN_NEXT_PACKAGES ??= findNext(variables)
  }
  if (mustBuild) build(root, nodePath, variables)
  return { nodePath, variables }
}
