import { createServer } from 'node:http'
import type { Browser } from 'puppeteer-core'
import { launchChromium } from '../browser/chromium.ts'
import { closeServer, listen, openReceiver } from '../browser/receiver.ts'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { figure } from '../contract/spread.ts'
import { bundlePage, type Variant } from './bundle-page.ts'
import { labels } from './labels.ts'

const clicks = 5
const buttons = ['props', 'memo', 'need', 'hoist'] as const
const waitMs = 20_000

const variants: readonly Variant[] = [18, 19].flatMap((react) =>
  (['production', 'development'] as const).flatMap((build) =>
    [false, true].map((strict) => ({ react: react as 18 | 19, build, strict })),
  ),
)

export const bench: Bench = {
  name: 'browser-renders',
  question: `verdicts "rendered in vain" over the labels of a page of ${Object.keys(labels).length} components, React 18 and 19, production and development, with and without StrictMode`,
  packages: ['otlp', 'browser-sdk'],
  figures: [
    { id: 'render-precision', unit: 'ratio', target: '>=1' },
    { id: 'render-recall', unit: 'ratio', target: '>=1' },
    { id: 'needed-recall', unit: 'ratio', target: '' },
    { id: 'render-cases', unit: '{case}', target: '>=20' },
  ],
  run,
}

interface Counts {
  readonly compared: number
  readonly wasted: number
}

interface Value {
  readonly stringValue?: string
  readonly intValue?: string
}

interface Body {
  readonly resourceSpans?: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly events?: readonly {
          readonly name: string
          readonly attributes: readonly { readonly key: string; readonly value: Value }[]
        }[]
      }[]
    }[]
  }[]
}

function countsOf(bodies: readonly string[]): Map<string, Counts> {
  const sums = new Map<string, Counts>()
  for (const text of bodies)
    for (const { scopeSpans } of (JSON.parse(text) as Body).resourceSpans ?? [])
      for (const { spans } of scopeSpans)
        for (const { events = [] } of spans)
          for (const { name, attributes } of events) {
            if (name !== 'hotspan.react.component') continue
            const of = (key: string) => attributes.find((one) => one.key === `hotspan.react.${key}`)?.value
            const component = of('component')!.stringValue!
            const { compared, wasted } = sums.get(component) ?? { compared: 0, wasted: 0 }
            sums.set(component, {
              compared: compared + Number(of('compared')!.intValue),
              wasted: wasted + Number(of('wasted')!.intValue),
            })
          }
  return sums
}

/** Clicks every button and leaves; what came until all that must have rendered was told, or the wait is over. */
async function visit(browser: Browser, variant: Variant): Promise<Map<string, Counts>> {
  const receiver = await openReceiver()
  const script = await bundlePage(variant, receiver.origin)
  const server = createServer((request, response) => {
    if (request.url === '/app.js') response.writeHead(200, { 'content-type': 'text/javascript' }).end(script)
    else if (request.url === '/favicon.ico') response.writeHead(204).end()
    else
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<!doctype html><div id="root"></div><script type="module" src="/app.js"></script>')
  })
  const origin = await listen(server)
  const context = await browser.createBrowserContext()
  try {
    const page = await context.newPage()
    await page.goto(origin)
    await page.waitForFunction(() => document.body.textContent?.includes('lazy'))
    for (let click = 1; click <= clicks; click++)
      for (const button of buttons) {
        await page.click(`#${button}`)
        const changed =
          button === 'hoist'
            ? `document.querySelector('section').dataset.wide === '${click}'`
            : `document.querySelector('#${button}').textContent === '${click}'`
        await page.waitForFunction(changed)
      }
    await page.goto('about:blank')
    const deadlineMs = Date.now() + waitMs
    const complete = () => {
      const counts = countsOf(receiver.bodies)
      return ['PropsParent', 'MemoParent', 'NeedParent', 'NeedWrapper'].every(
        (name) => (counts.get(name)?.compared ?? 0) >= clicks,
      )
    }
    while (!complete() && Date.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, 50))
    return countsOf(receiver.bodies)
  } finally {
    await context.close()
    await closeServer(server)
    await receiver.close()
  }
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const rounds = options.rounds ?? 1
  const values = new Map<string, number[]>(bench.figures.map(({ id }) => [id, []]))
  const mistakes: string[] = []
  const browser = await launchChromium()
  try {
    for (let round = 0; round < rounds; round++)
      for (const variant of variants) {
        options.signal.throwIfAborted()
        const title = `React ${variant.react} ${variant.build}${variant.strict ? ', StrictMode' : ''}`
        const counts = await visit(browser, variant)
        let right = 0
        let wrong = 0
        let missed = 0
        let neededSeen = 0
        let neededAll = 0
        for (const [name, label] of Object.entries(labels)) {
          const { compared, wasted } = counts.get(name) ?? { compared: 0, wasted: 0 }
          const expected = label.wasted * clicks
          right += Math.min(wasted, expected)
          wrong += Math.max(0, wasted - expected)
          missed += Math.max(0, expected - wasted)
          neededSeen += Math.min(compared - wasted, label.needed * clicks)
          neededAll += label.needed * clicks
          if (wasted !== expected || compared !== expected + label.needed * clicks)
            mistakes.push(
              `${title}: ${name} told ${wasted} of ${compared} in vain, label ${expected} of ${expected + label.needed * clicks}`,
            )
        }
        values.get('render-precision')!.push(right / (right + wrong))
        values.get('render-recall')!.push(right / (right + missed))
        values.get('needed-recall')!.push(neededSeen / neededAll)
        values.get('render-cases')!.push(Object.keys(labels).length)
        options.progress(`${title}: ${right} right, ${wrong} wrong, ${missed} missed`)
      }
  } finally {
    await browser.close()
  }
  return {
    rounds,
    figures: bench.figures.map((definition) => {
      const of = values.get(definition.id)!
      // The worst variant is the promise.
      return { ...figure(definition, of), value: Math.min(...of) }
    }),
    notes: [
      `unit: one render; ${clicks} clicks on each of four buttons, ${variants.length} variants; value: the worst variant`,
      'needed-recall: renders with a reason that were told as such',
      'left out of the labels: children that are elements and equal, which are not compared; handlers that close over what changed',
      'the development builds are judged here; the detector never makes a finding of one',
      ...(mistakes.length ? mistakes : ['no component was told otherwise than its label in any variant']),
    ],
  }
}
