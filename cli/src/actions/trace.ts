import { openStore, spansOfTraces } from '@hotspan/collector'
import { writeData } from '../process/output.ts'
import { requireStore, type StoreFlags, storePlace } from '../process/store-options.ts'
import { renderExceptionsText } from '../render/exceptions.ts'
import { renderJson } from '../render/json.ts'
import { columnsOf, wantsColor } from '../render/terminal.ts'
import { renderWaterfallText } from '../render/waterfall-text.ts'
import { criticalSpanIds } from '../trace/critical-spans.ts'
import { findTrace } from '../trace/find-trace.ts'
import { traceDocument } from '../trace/trace-document.ts'
import { exceptionsOf } from '../trace/trace-exceptions.ts'
import { buildWaterfall } from '../trace/waterfall.ts'

export interface TraceFlags extends StoreFlags {
  readonly format: 'text' | 'json'
  readonly output?: string
  readonly all?: boolean
}

export const runTrace = async (id: string, flags: TraceFlags): Promise<void> => {
  const place = await storePlace(flags)
  requireStore(place)
  const store = await openStore({ dataDir: place.dataDir, project: place.project })
  try {
    const found = await findTrace(store, id)
    const spans = await spansOfTraces(store, found, [found.traceId])
    const exceptions = await exceptionsOf(store, found)
    if (flags.format === 'json')
      return await writeData(renderJson(traceDocument(spans, exceptions)), flags.output)
    const all = flags.all ?? false
    const waterfall = buildWaterfall(spans, {
      criticalSpanIds: criticalSpanIds(spans),
      ...(all ? { foldFrom: Infinity, maxRows: Infinity } : {}),
    })
    const toFile = flags.output !== undefined
    const color = !toFile && wantsColor(process.stdout, process.env)
    const width = toFile ? 80 : columnsOf(process.stdout)
    const text = renderWaterfallText(waterfall, { color, width, statements: all })
    await writeData(text + renderExceptionsText(exceptions, { color, width, all }), flags.output)
  } finally {
    await store.close()
  }
}
