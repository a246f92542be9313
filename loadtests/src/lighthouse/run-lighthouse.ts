import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Result } from 'lighthouse'
import { badOption, LoadtestsError } from '../errors.ts'
import { type Run, runSchemaVersion, type Sample } from '../run.ts'
import { configHash } from '../runs/config-hash.ts'
import { gitFacts } from '../runs/git-facts.ts'
import { machineKey } from '../runs/machine-key.ts'
import { newRunId } from '../runs/run-id.ts'
import { type Chromium, findChrome, startChromium } from './chromium-process.ts'
import { isRefused } from './is-refused.ts'
import type { LighthouseAnswer, LighthouseJob } from './lighthouse-child.ts'
import { chromeFlags, type FormFactor, lighthouseFlags } from './lighthouse-settings.ts'
import { pageFigures } from './page-figures.ts'

export interface LighthouseOptions {
  readonly url: string
  /** Default: `CHROME_PATH`, then the installation that chrome-launcher finds. */
  readonly chromePath?: string
  /** Default `mobile`, as Lighthouse. */
  readonly formFactor?: FormFactor
  /** Name that groups runs; default `lighthouse`. */
  readonly scenario?: string
  /** Whole time for one run, browser included, ms; default 120,000. */
  readonly timeLimitMs?: number
  readonly signal?: AbortSignal
  readonly command?: readonly string[]
  readonly cwd?: string
}

export interface LighthouseResult {
  readonly run: Run
  /** One per figure of the page. */
  readonly samples: Sample[]
  /** Lighthouse's own result, to keep beside the run. */
  readonly lhr: Result
}

/**
 * One Lighthouse navigation in a fresh profile of a Chromium of its own, in a process of its own. Whatever happens, browser,
 * process and profile are gone when the promise settles. Throws `HS_CHROME_MISSING`, `HS_LIGHTHOUSE_TIMEOUT`, `HS_LIGHTHOUSE_FAILED`
 * (Lighthouse's reason, for instance a page that did not answer) or `HS_LIGHTHOUSE_ABORTED`.
 */
export async function runLighthouse(options: LighthouseOptions): Promise<LighthouseResult> {
  const url = pageUrl(options.url)
  const formFactor = options.formFactor ?? 'mobile'
  if (formFactor !== 'mobile' && formFactor !== 'desktop')
    throw badOption('formFactor', formFactor, 'mobile or desktop')
  const timeLimitMs = options.timeLimitMs ?? 120_000
  if (!(timeLimitMs >= 1)) throw badOption('timeLimitMs', timeLimitMs, 'a number >= 1')
  const chromePath = options.chromePath ?? findChrome()
  const flags = lighthouseFlags(formFactor)
  const git = await gitFacts(options.cwd)
  const startedAtUnixMs = Date.now()
  const { lhr, chromiumVersion } = await navigate(url, chromePath, flags, timeLimitMs, options.signal)
  const figures = pageFigures(lhr)
  const page = new URL(lhr.finalDisplayedUrl || url).pathname
  const run: Run = {
    schemaVersion: runSchemaVersion,
    id: newRunId(startedAtUnixMs),
    kind: 'lighthouse',
    driver: 'lighthouse',
    driverVersion: `${lhr.lighthouseVersion} (Chromium ${chromiumVersion})`,
    model: 'page',
    scenario: options.scenario ?? 'lighthouse',
    url,
    startedAtUnixMs,
    warmUpMs: 0,
    measuredMs: Math.round(lhr.timing.total),
    arrivals: 'none',
    arrivalsPerSec: 0,
    seed: 0,
    ...git,
    machineKey: machineKey(),
    configHash: configHash({ flags, chrome: chromeFlags(url) }),
    health: { sent: 1, failed: 0, refused: 0, lateShareRatio: 0, generatorCpuMs: 0, voidReason: '' },
    metrics: Object.fromEntries(
      figures.filter((f) => !f.perResource).map((f) => [f.metric, { value: f.value, unit: f.unit, n: 1 }]),
    ),
    command: options.command ?? [],
  }
  return {
    run,
    samples: figures.map(({ metric, value, unit }) => ({ type: 'page', page, metric, value, unit })),
    lhr,
  }
}

async function navigate(
  url: string,
  chromePath: string,
  flags: object,
  timeLimitMs: number,
  signal: AbortSignal | undefined,
): Promise<{ lhr: Result; chromiumVersion: string }> {
  const limit = limitedBy(timeLimitMs, signal)
  const folder = await mkdtemp(join(tmpdir(), 'hotspan-lighthouse-'))
  let chromium: Chromium | undefined
  let child: ChildProcess | undefined
  try {
    // Lighthouse needs half a minute to find out and then calls it an interstitial.
    const refused = await Promise.race([isRefused(url, limit.signal), limit.reached])
    if (refused) throw failed(url, `nothing answers at ${new URL(url).origin}; start the application first`)
    chromium = await startChromium(chromePath, url, folder, limit.signal)
    child = forkChild()
    const resultFile = join(folder, 'lhr.json')
    const job = { url, port: chromium.port, chromePid: chromium.pid, flags, resultFile }
    const answer = await Promise.race([ask(child, job), limit.reached])
    if (!answer.ok) throw failed(url, answer.message)
    const lhr = JSON.parse(await readFile(resultFile, 'utf8')) as Result
    if (lhr.runtimeError) throw failed(url, `${lhr.runtimeError.code}: ${lhr.runtimeError.message}`)
    return { lhr, chromiumVersion: chromium.version }
  } finally {
    limit.clear()
    child?.removeAllListeners()
    child?.kill('SIGKILL')
    await chromium?.close()
    // Helpers of the group may still write while they die.
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

function forkChild(): ChildProcess {
  // The source is run as it is in tests (Node strips the types), the built file otherwise.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const path = fileURLToPath(new URL(`./lighthouse-child.${extension}`, import.meta.url))
  return fork(path, { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
}

function ask(child: ChildProcess, job: LighthouseJob): Promise<LighthouseAnswer> {
  return new Promise((resolve) => {
    let output = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-2000)
    })
    child.once('message', (message) => resolve(message as LighthouseAnswer))
    child.once('error', (error) => resolve({ ok: false, message: error.message }))
    child.once('exit', (code, signal) => {
      resolve({
        ok: false,
        message: `the Lighthouse process ended early (${signal ?? code}) ${output}`.trim(),
      })
    })
    child.send(job)
  })
}

/** One signal for the time limit and the caller's own; its reason is the error to throw. */
function limitedBy(timeLimitMs: number, outer: AbortSignal | undefined) {
  const controller = new AbortController()
  const reached = new Promise<never>((_resolve, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true })
  })
  reached.catch(() => {})
  const timer = setTimeout(() => {
    const message = `Lighthouse did not finish within ${timeLimitMs} ms; raise timeLimitMs or look at the page by hand`
    controller.abort(new LoadtestsError('HS_LIGHTHOUSE_TIMEOUT', message))
  }, timeLimitMs)
  const onAbort = () => controller.abort(aborted())
  if (outer?.aborted) onAbort()
  outer?.addEventListener('abort', onAbort, { once: true })
  return {
    signal: controller.signal,
    reached,
    clear() {
      clearTimeout(timer)
      outer?.removeEventListener('abort', onAbort)
    },
  }
}

function aborted(): LoadtestsError {
  return new LoadtestsError('HS_LIGHTHOUSE_ABORTED', 'Lighthouse was stopped before it finished')
}

function failed(url: string, reason: string): LoadtestsError {
  return new LoadtestsError('HS_LIGHTHOUSE_FAILED', `Lighthouse could not measure ${url}: ${reason}`)
}

function pageUrl(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return new URL(url).href
  throw badOption('url', url, 'an http:// or https:// address')
}
