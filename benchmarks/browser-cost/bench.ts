import { readFileSync } from 'node:fs'
import { bundle } from '../browser/bundle.ts'
import { type Contender, hotspan, none, openTelemetry, sentry } from '../browser/contenders.ts'
import { openReceiver } from '../browser/receiver.ts'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { figure, median } from '../contract/spread.ts'
import { openSite } from './site.ts'
import { type Cost, visitCost, visitInp, visitSlices } from './visit.ts'

const contenders: readonly Contender[] = [none, hotspan, openTelemetry, sentry]
const peers = [openTelemetry, sentry]
const throttlings = [1, 4] as const
const targets: Readonly<Record<string, string>> = { otel: '<=0.65', sentry: '<=0.22' }

const suffix = (throttling: number): string => (throttling === 1 ? '' : `-${throttling}x`)

export const bench: Bench = {
  name: 'browser-cost',
  question:
    'CPU of the main thread that an SDK adds to a React page that loads, fetches six times and is clicked once, ours / peer, until 7 s after the start',
  packages: ['otlp', 'browser-sdk'],
  figures: [
    ...throttlings.flatMap((throttling) =>
      peers.map(({ id }) => ({
        id: `cpu-ratio-${id}${suffix(throttling)}`,
        unit: 'ratio',
        target: targets[id]!,
      })),
    ),
    ...[hotspan, ...peers].map(({ id }) => ({ id: `added-script-${id}`, unit: 'ms', target: '' })),
    { id: 'synchronous-start', unit: 'ms', target: '<=2' },
    { id: 'longest-slice', unit: 'ms', target: '<=5' },
    { id: 'inp-difference-4x', unit: 'ms', target: '<=8' },
  ],
  run,
}

/** Scripts only: what the tasks add beside them differs by less than the page's own noise. */
const addedMs = (of: Contender, costs: ReadonlyMap<Contender, Cost>): number =>
  costs.get(of)!.scriptMs - costs.get(none)!.scriptMs

async function run(options: BenchOptions): Promise<BenchResult> {
  const rounds = options.rounds ?? (options.full ? 12 : 7)
  const values = new Map<string, number[]>(bench.figures.map(({ id }) => [id, []]))
  const add = (id: string, value: number) => values.get(id)!.push(value)
  const tasks = new Map<Contender, number[]>(contenders.map((one) => [one, []]))
  const receiver = await openReceiver()
  const app = await bundle(readFileSync(new URL('app.tsx', import.meta.url), 'utf8'), {
    format: 'esm',
    react: 'inside',
  })
  const sites = new Map(
    await Promise.all(
      contenders.map(async (one) => {
        const sdk = one.script && (await bundle(one.script, { receiver: receiver.origin }))
        return [one, await openSite(sdk, app)] as const
      }),
    ),
  )
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
        for (const peer of peers)
          add(`cpu-ratio-${peer.id}${suffix(throttling)}`, addedMs(hotspan, costs) / addedMs(peer, costs))
        if (throttling > 1) continue
        for (const one of [hotspan, ...peers]) add(`added-script-${one.id}`, addedMs(one, costs))
        for (const [one, { taskMs }] of costs) tasks.get(one)!.push(taskMs)
      }
      options.signal.throwIfAborted()
      const { startMs, longestMs } = await visitSlices(urlOf(hotspan))
      add('synchronous-start', startMs)
      add('longest-slice', longestMs)
      const inp = new Map<Contender, number>()
      for (const one of [none, hotspan]) inp.set(one, await visitInp(urlOf(one), 4))
      add('inp-difference-4x', inp.get(hotspan)! - inp.get(none)!)
      options.progress(
        `round ${round + 1} of ${rounds}: ${[...values].map(([id, all]) => `${id} ${all.at(-1)!.toFixed(2)}`).join(', ')}`,
      )
    }
  } finally {
    for (const site of sites.values()) await site.close()
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
      'INP: median of 9 clicks that render 200 cards, with and without the SDK, both with 4x CPU throttling; the browser rounds to 8 ms',
      ...contenders.map(({ configuration }) => configuration),
    ],
  }
}
