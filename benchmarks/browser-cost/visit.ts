import type { CDPSession, Page } from 'puppeteer-core'
import { launchChromium } from '../browser/chromium.ts'

/** Longer than the first flush of every contender: OpenTelemetry's comes after five seconds. */
const windowMs = 7000
/** Longer than our own. */
const sliceWindowMs = 4500

export interface Cost {
  /** CPU of the main thread in scripts, and in all its tasks, ms. */
  readonly scriptMs: number
  readonly taskMs: number
}

async function prepare(page: Page, throttling: number): Promise<CDPSession> {
  const session = await page.createCDPSession()
  if (throttling > 1) await session.send('Emulation.setCPUThrottlingRate', { rate: throttling })
  return session
}

/** Loads the page, clicks once it stands, and stays until the window is over. */
async function use(page: Page, url: string, untilMs = windowMs): Promise<void> {
  const startedMs = performance.now()
  await page.goto(url)
  await page.waitForSelector('li:nth-child(200)')
  await page.click('#more')
  await page.waitForFunction(() => document.querySelector('#more')?.textContent === '200')
  await new Promise((resolve) => setTimeout(resolve, untilMs - (performance.now() - startedMs)))
}

/** CPU of one visit in a browser of its own: thread time, which a busy machine does not lengthen as it does wall time. */
export async function visitCost(url: string, throttling: number): Promise<Cost> {
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    const session = await prepare(page, throttling)
    await session.send('Performance.enable', { timeDomain: 'threadTicks' })
    await use(page, url)
    const { metrics } = await session.send('Performance.getMetrics')
    const ms = (name: string) => metrics.find((metric) => metric.name === name)!.value * 1000
    return { scriptMs: ms('ScriptDuration'), taskMs: ms('TaskDuration') }
  } finally {
    await browser.close()
  }
}

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly ts: number
  readonly dur?: number
  readonly tdur?: number
  readonly args: { readonly data?: { readonly url?: string } }
}

/** CPU of the SDK's own runs on the main thread, ms: the script itself, and everything the browser called in it later. */
export interface Slices {
  readonly startMs: number
  readonly longestMs: number
}

export async function visitSlices(url: string): Promise<Slices> {
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    await page.tracing.start({ categories: ['devtools.timeline', 'v8'] })
    await use(page, url, sliceWindowMs)
    const { traceEvents } = JSON.parse(new TextDecoder().decode(await page.tracing.stop())) as {
      traceEvents: TraceEvent[]
    }
    const ours = traceEvents.filter(({ ph, args }) => ph === 'X' && args.data?.url?.endsWith('/sdk.js'))
    const cpuMs = ({ tdur, dur }: TraceEvent) => (tdur ?? dur ?? 0) / 1000
    const of = (name: string) => ours.filter((event) => event.name === name).map(cpuMs)
    return { startMs: Math.max(...of('EvaluateScript')), longestMs: Math.max(0, ...of('FunctionCall')) }
  } finally {
    await browser.close()
  }
}
