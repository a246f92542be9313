import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { liveOwner } from '@hotspan/collector'
import { type DoctorCheck, ok } from './check.ts'

const runNode = (
  code: string,
): Promise<{ readonly ok: boolean; readonly out: string; readonly why: string }> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      ['-e', code],
      { timeout: 30_000, env: { ...process.env, NODE_OPTIONS: '', TZ: 'UTC' } },
      (error, stdout, stderr) => {
        const why =
          error === null
            ? ''
            : (stderr.split('\n').find((line) => /Error/.test(line)) ?? error.message.split('\n')[0] ?? '')
        resolve({ ok: error === null, out: stdout.trim(), why })
      },
    )
  })

const neededBy = 'dev, collector, analyze, trace'

/** The embedded engine answers a query, in a process of its own since a broken native library would take us with it. */
const checkEmbedded = async (): Promise<DoctorCheck> => {
  const fix = 'reinstall without --omit=optional, or set HOTSPAN_CLICKHOUSE_URL to a ClickHouse server'
  let file: string
  try {
    file = createRequire(import.meta.resolve('@hotspan/collector')).resolve('chdb')
  } catch {
    return { id: 'chdb', state: 'missing', found: 'the embedded engine chdb is not installed', neededBy, fix }
  }
  const code = `const c=require(${JSON.stringify(file)});process.stdout.write(String(c.query('SELECT version()','TSV')))`
  const { ok: works, out, why } = await runNode(code)
  if (works && /^\d+\.\d+/.test(out)) return ok('chdb', `embedded ClickHouse ${out}`, neededBy)
  return {
    id: 'chdb',
    state: 'missing',
    found: `the embedded engine does not start: ${why || out}`,
    neededBy,
    fix,
  }
}

const checkServer = async (address: string): Promise<DoctorCheck> => {
  const fix =
    'check HOTSPAN_CLICKHOUSE_URL and that the server answers; without the variable the embedded engine is used'
  try {
    const url = new URL('/ping', address)
    const shown = url.host
    url.username = ''
    url.password = ''
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) })
    if (response.ok) return ok('clickhouse', `server at ${shown} answers`, neededBy)
    return {
      id: 'clickhouse',
      state: 'missing',
      found: `server at ${shown} says ${response.status}`,
      neededBy,
      fix,
    }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return {
      id: 'clickhouse',
      state: 'missing',
      found: `no answer: ${cause instanceof Error ? cause.message : cause}`,
      neededBy,
      fix,
    }
  }
}

/** The engine that the commands will use. */
export const checkStore = (clickhouseUrl: string | undefined): Promise<DoctorCheck> =>
  clickhouseUrl === undefined || clickhouseUrl === '' ? checkEmbedded() : checkServer(clickhouseUrl)

const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 })
    const end = (result: boolean) => () => {
      socket.destroy()
      resolve(result)
    }
    socket.once('connect', end(true))
    socket.once('error', end(false))
    socket.once('timeout', end(false))
  })

/** Whether somebody receives here: the owner of the directory, else whatever listens on the port. Not running is no fault: `dev` starts its own. */
export const checkCollector = async (dataDir: string, host: string, port: number): Promise<DoctorCheck> => {
  const needed = 'applications that send outside `hotspan dev`'
  const owner = liveOwner(dataDir)
  if (owner !== null && owner.otlpUrl !== '')
    return ok('collector', `process ${owner.pid}, OTLP ${owner.otlpUrl}, page ${owner.pageUrl}`, needed)
  if (owner !== null) {
    const doing =
      owner.engineSocket === ''
        ? 'is opening its store: nothing listens yet'
        : 'does not listen: a collector that is still starting, or a command that reads the store'
    return {
      id: 'collector',
      state: 'warning',
      found: `process ${owner.pid} owns this directory and ${doing}`,
      neededBy: needed,
      fix: 'wait for it and ask again; hotspan collector says Ready when it listens',
    }
  }
  if (await answers(host, port)) {
    const found = `something else listens on ${host}:${port}, not a collector of this directory`
    return {
      id: 'collector',
      state: 'warning',
      found,
      neededBy: needed,
      fix: 'hotspan dev takes the next free port; hotspan collector --otlp-port PORT',
    }
  }
  return {
    id: 'collector',
    state: 'warning',
    found: `nothing listens on ${host}:${port}`,
    neededBy: needed,
    fix: 'hotspan collector, or hotspan dev -- COMMAND',
  }
}
