import type { Page } from 'puppeteer-core'
import { bundle } from '../browser/bundle.ts'
import { closeChromium, launchChromium } from '../browser/chromium.ts'
import { type Contender, hotspan, peers } from '../browser/contenders.ts'
import { openReceiver } from '../browser/receiver.ts'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { figure } from '../contract/spread.ts'
import { openSite, type Site } from './site.ts'

const counts = [20, 400] as const

/** Nothing that has not arrived by then does: it is the receiver's wait after the page has gone. */
const waitMs = 4000

type Leave = (page: Page, site: Site) => Promise<void>

const hideTab = async (page: Page): Promise<void> => {
  const other = await page.browserContext().newPage()
  await other.bringToFront()
  await page.waitForFunction(() => document.visibilityState === 'hidden', { polling: 20 })
}

/** From within the page, in the very task in which its last request has ended. */
const ways: Readonly<Record<string, Leave>> = {
  navigate: (page, { origin }) => page.evaluate((url) => location.assign(url), `${origin}/elsewhere`),
  reload: async (page, site) => {
    // The page that comes has no SDK: what it would deliver for the one that went is counted apart.
    site.script = ''
    await page.evaluate(() => location.reload())
  },
  close: (page) => page.close({ runBeforeUnload: true }),
  hide: async (page) => {
    await hideTab(page)
    await page.close()
  },
}

const contenders: readonly Contender[] = [hotspan, ...peers]

const figureId = (count: number, { id }: Contender): string =>
  id === hotspan.id ? `lost-of-${count}` : `lost-of-${count}-${id}`

export const bench: Bench = {
  name: 'browser-loss',
  question:
    'requests whose span never arrives when the page goes away right after them: worst of navigation, reload, tab close and hide',
  packages: ['otlp', 'browser-sdk'],
  figures: contenders.flatMap((contender) =>
    counts.map((count) => ({
      id: figureId(count, contender),
      unit: '{span}',
      target: contender === hotspan ? '<=0' : '',
    })),
  ),
  run,
}

/** Names without digits: ids are templated away by those who scrub URLs. */
const itemName = (n: number): string =>
  `item-${String.fromCharCode(97 + (n % 26), 97 + (Math.floor(n / 26) % 26))}z`

async function lost(contender: Contender, count: number, leave: Leave): Promise<number> {
  const receiver = await openReceiver()
  const site = await openSite(await bundle(contender.script, { receiver: receiver.origin }))
  // Of its own: fresh storage, and nothing that a tab which is closing could hold up.
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    await page.goto(site.origin)
    const names = Array.from({ length: count }, (_, n) => itemName(n))
    // Leaving starts where the last answer has been read, not a round trip to the test later.
    await page.evaluate(
      (all) => Promise.all(all.map((name) => fetch(`/api/${name}`).then((answer) => answer.text()))),
      names,
    )
    await leave(page, site)
    const arrived = (): number => {
      const text = receiver.bodies.join('\n')
      return names.filter((name) => text.includes(`/api/${name}`)).length
    }
    const deadlineMs = Date.now() + waitMs
    while (arrived() < count && Date.now() < deadlineMs)
      await new Promise((resolve) => setTimeout(resolve, 50))
    return count - arrived()
  } finally {
    await closeChromium(browser)
    await site.close()
    await receiver.close()
  }
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const rounds = options.rounds ?? (options.full ? 10 : 3)
  const worst = new Map<string, number[]>(bench.figures.map(({ id }) => [id, []]))
  const byWay = new Map<string, number[]>()
  for (let round = 0; round < rounds; round++) {
    // Peers lose the same in every round, and what is lost is waited for: one round of them is half of the time.
    const now = options.full || round === 0 ? contenders : [hotspan]
    const order = round % 2 === 0 ? now : now.toReversed()
    for (const contender of order)
      for (const count of counts) {
        const all: number[] = []
        for (const [way, leave] of Object.entries(ways)) {
          options.signal.throwIfAborted()
          const n = await lost(contender, count, leave)
          all.push(n)
          const key = `${contender.id}, ${count}, ${way}`
          byWay.set(key, [...(byWay.get(key) ?? []), n])
        }
        worst.get(figureId(count, contender))!.push(Math.max(...all))
        options.progress(
          `round ${round + 1} of ${rounds}: ${contender.id} lost ${all.join(', ')} of ${count} (${Object.keys(ways).join(', ')})`,
        )
      }
  }
  return {
    rounds,
    figures: bench.figures.map((definition) => {
      const values = worst.get(definition.id)!
      // The worst case is the promise, not the usual one.
      return { ...figure(definition, values), value: Math.max(...values) }
    }),
    notes: [
      'a request counts as arrived when any body names its URL within 4 s after leaving; the receiver is up, on another origin, and answers at once',
      `value: the worst of all rounds and ways${options.full ? '' : ' (of a peer, one round)'}; fresh storage every time, so nothing is left to a next visit`,
      ...[...byWay].map(([key, values]) => `${key}: ${values.join(' ')}`),
      ...contenders.map(({ configuration }) => configuration),
    ],
  }
}
