import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundle } from '../browser/bundle.ts'
import { type Contender, hotspan, none, openTelemetry, sentry } from '../browser/contenders.ts'
import { openReceiver } from '../browser/receiver.ts'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { figure, median } from '../contract/spread.ts'
import { openShopSite } from './shop-site.ts'
import { openSite } from './site.ts'
import { type Cost, visitCost, visitSlices } from './visit.ts'
import { visitShopInp } from './visit-shop.ts'

/** What `@hotspan/browser` publishes for pages without a bundler. */
const scriptTag: Contender = {
  id: 'script-tag',
  configuration: 'hotspan.iife.js as it is published, started by the attributes of its element, all features',
  script: '',
}
const ours = [hotspan, scriptTag]
const contenders: readonly Contender[] = [none, ...ours, openTelemetry, sentry]
const peers = [openTelemetry, sentry]
const throttlings = [1, 4] as const
const targets: Readonly<Record<string, string>> = { otel: '<=0.65', sentry: '<=0.22' }

/** Ratios of the bundle have the peer's name alone: the peers are bundles, too. */
const ratioId = (one: Contender, peer: Contender, throttling: number): string =>
  `cpu-ratio-${peer.id}${one === hotspan ? '' : `-${one.id}`}${throttling === 1 ? '' : `-${throttling}x`}`

export const bench: Bench = {
  name: 'browser-cost',
  question:
    'CPU of the main thread that an SDK adds to a React page that loads, fetches six times and is clicked once, ours / peer, until 7 s after the start',
  packages: ['otlp', 'browser-sdk', 'examples/shop'],
  figures: [
    ...throttlings.flatMap((throttling) =>
      ours.flatMap((one) =>
        peers.map((peer) => ({
          id: ratioId(one, peer, throttling),
          unit: 'ratio',
          target: targets[peer.id]!,
        })),
      ),
    ),
    ...[...ours, ...peers].map(({ id }) => ({ id: `added-script-${id}`, unit: 'ms', target: '' })),
    { id: 'synchronous-start', unit: 'ms', target: '<=2' },
    { id: 'synchronous-start-script-tag', unit: 'ms', target: '<=2' },
    { id: 'longest-slice', unit: 'ms', target: '<=5' },
    { id: 'shop-inp-difference-4x', unit: 'ms', target: '<=8' },
  ],
  run,
}

/** Scripts only: what the tasks add beside them differs by less than the page's own noise. */
const addedMs = (of: Contender, costs: ReadonlyMap<Contender, Cost>): number =>
  costs.get(of)!.scriptMs - costs.get(none)!.scriptMs

/** Built anew: `tsc -b` does not make it. */
async function publishedScript(): Promise<string> {
  const sdk = new URL('../../browser-sdk/', import.meta.url)
  await promisify(execFile)(process.execPath, [fileURLToPath(new URL('build-script-tag.mjs', sdk))])
  return readFileSync(new URL('dist/hotspan.iife.js', sdk), 'utf8')
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const rounds = options.rounds ?? (options.full ? 12 : 4)
  const values = new Map<string, number[]>(bench.figures.map(({ id }) => [id, []]))
  const add = (id: string, value: number) => values.get(id)!.push(value)
  const interactionCounts: number[] = []
  const shopInps: number[] = []
  const tasks = new Map<Contender, number[]>(contenders.map((one) => [one, []]))
  const receiver = await openReceiver()
  const app = await bundle(readFileSync(new URL('app.tsx', import.meta.url), 'utf8'), {
    format: 'esm',
    react: 'inside',
  })
  const published = await publishedScript()
  const sites = new Map(
    await Promise.all(
      contenders.map(async (one) => {
        if (one === scriptTag) {
          const attributes = ` data-endpoint="${receiver.origin}" data-service="bench"`
          return [one, await openSite(published, app, attributes)] as const
        }
        const sdk = one.script && (await bundle(one.script, { receiver: receiver.origin }))
        return [one, await openSite(sdk, app)] as const
      }),
    ),
  )
  const shops = [await openShopSite(null), await openShopSite(receiver.origin)] as const
  const urlOf = (one: Contender): string => sites.get(one)!.origin
  try {
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? contenders : contenders.toReversed()
      for (const throttling of throttlings) {
        const costs = new Map<Contender, Cost>()
        for (const one of order) {
          options.signal.throwIfAborted()
          costs.set(one, await visitCost(urlOf(one), throttling))
        }
        for (const one of ours)
          for (const peer of peers)
            add(ratioId(one, peer, throttling), addedMs(one, costs) / addedMs(peer, costs))
        if (throttling > 1) continue
        for (const one of [...ours, ...peers]) add(`added-script-${one.id}`, addedMs(one, costs))
        for (const [one, { taskMs }] of costs) tasks.get(one)!.push(taskMs)
      }
      options.signal.throwIfAborted()
      const slices = await visitSlices(urlOf(hotspan))
      add('synchronous-start', slices.startMs)
      add('longest-slice', slices.longestMs)
      add('synchronous-start-script-tag', (await visitSlices(urlOf(scriptTag))).startMs)
      options.signal.throwIfAborted()
      const inp = new Map<unknown, number>()
      for (const shop of round % 2 === 0 ? shops : shops.toReversed()) {
        const { inpMs, interactions } = await visitShopInp(shop.origin, 4)
        inp.set(shop, inpMs)
        interactionCounts.push(interactions)
      }
      add('shop-inp-difference-4x', inp.get(shops[1])! - inp.get(shops[0])!)
      shopInps.push(inp.get(shops[0])!)
      options.progress(
        `round ${round + 1} of ${rounds}: ${[...values].map(([id, all]) => `${id} ${all.at(-1)!.toFixed(2)}`).join(', ')}`,
      )
    }
  } finally {
    for (const site of [...sites.values(), ...shops]) await site.close()
    await receiver.close()
  }
  return {
    rounds,
    figures: bench.figures.map((definition) => figure(definition, values.get(definition.id)!)),
    notes: [
      'CPU: ScriptDuration of the DevTools in thread time, less that of the same page without an SDK in the same round; fresh browser every visit, order reversed every round',
      `all tasks of the main thread, median ms: ${[...tasks].map(([one, all]) => `${one.id} ${median(all).toFixed(0)}`).join(', ')}`,
      'ours walks every React commit for renders in vain, which no peer does; that is in the ratio',
      'synchronous start and longest slice: thread time of the trace, compiling included; the slice is the longest single call of the browser into the SDK after its start',
      `shop INP: the built storefront of examples/shop before fixed answers of its API, with the SDK on and switched off, both with 4x CPU throttling; the longest of some ${median(interactionCounts)} interactions (without the SDK: ${shopInps.join(', ')} ms); the browser rounds to 8 ms`,
      'script tag: V8 compiles the published file as a whole on the thread that loads it, which its first line asks for; a bundle cannot',
      ...contenders.map(({ configuration }) => configuration),
    ],
  }
}
