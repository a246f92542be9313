import { runQuery } from '../../collector/dist/index.js'
import { visitShop } from '../../examples/shop/dist/index.js'
import { median } from '../contract/spread.ts'
import type { Datum } from './measured.ts'
import type { Pair, Side } from './shops.ts'

interface Window {
  readonly fromMs: number
  readonly toMs: number
}

/** The same visit to both shops, one after the other: two browsers at once would take the CPU from each other. */
export interface VisitPair {
  readonly on: Window
  readonly off: Window
}

export async function visitPair(pair: Pair, visitNumber: number): Promise<VisitPair> {
  const visit = async ({ shop }: Side): Promise<Window> => {
    const fromMs = Date.now()
    await visitShop({ url: shop.url, visits: 1, firstVisit: visitNumber, stepLimitMs: 60_000 })
    return { fromMs, toMs: Date.now() }
  }
  if (visitNumber % 2 === 0) {
    const on = await visit(pair.on)
    return { on, off: await visit(pair.off) }
  }
  const off = await visit(pair.off)
  return { on: await visit(pair.on), off }
}

/** Keys in the search box while a view of this route was shown: React's own time for all that each one rendered, ms. */
async function keyRenders({ store }: Side, window: Window, route: string): Promise<number[]> {
  const range =
    'Timestamp >= fromUnixTimestamp64Milli({fromMs: Int64}) AND Timestamp < fromUnixTimestamp64Milli({toMs: Int64})'
  const found = await runQuery<{ ms: number }>(
    store,
    `SELECT toFloat64OrZero(SpanAttributes['hotspan.react.duration']) AS ms
     FROM otel_traces
     WHERE ${range} AND SpanName = 'react.commits' AND SpanAttributes['hotspan.view.route'] = {route: String}
       AND SpanAttributes['hotspan.react.phase'] = 'update' AND ParentSpanId IN (
         SELECT SpanId FROM otel_traces
         WHERE ${range} AND SpanName LIKE 'interaction key%' AND SpanAttributes['hotspan.interaction.target'] LIKE '%input%')
     ORDER BY Timestamp LIMIT 1 BY TraceId, SpanId`,
    { ...window, route },
  )
  return found.map(({ ms }) => ms)
}

/** The detector's own bound: an interaction that wasted less is not affected. */
const affectedMs = 16

/** Each visit's affected keys: median render time with the fault minus median without. */
export async function interactionData(
  pair: Pair,
  visits: readonly VisitPair[],
  route: string,
): Promise<Datum[]> {
  const data: Datum[] = []
  for (const { on, off } of visits) {
    const slow = (await keyRenders(pair.on, on, route)).filter((ms) => ms >= affectedMs)
    const fast = await keyRenders(pair.off, off, route)
    if (slow.length < 3 || fast.length < 3) continue
    data.push({ ms: median(slow) - median(fast), n: Math.min(slow.length, fast.length) })
  }
  return data
}
