import { analyze } from '@hotspan/analyzers'
import { openStore, spansOfTraces } from '@hotspan/collector'
import { settings, settle } from '../config/settings.ts'
import { timeWindow, type WindowFlags } from '../config/time-window.ts'
import { recordFindings } from '../live/record-findings.ts'
import { note, writeData } from '../process/output.ts'
import { requireStore, type StoreFlags, storePlace } from '../process/store-options.ts'
import { exampleTraceIds } from '../render/finding-facts.ts'
import { renderHtml } from '../render/html.ts'
import { renderJson } from '../render/json.ts'
import { renderMarkdown } from '../render/markdown.ts'
import { columnsOf, wantsColor } from '../render/terminal.ts'
import { renderText } from '../render/text.ts'
import { around } from '../trace/find-trace.ts'

export interface AnalyzeFlags extends StoreFlags, WindowFlags {
  readonly format: 'text' | 'json' | 'markdown' | 'html'
  readonly output?: string
  readonly brief?: boolean
  readonly possible?: boolean
  readonly warmUp?: string
  readonly minTraces?: string
  readonly minMinutes?: string
}

const hourMs = 3_600_000

export const runAnalyze = async (flags: AnalyzeFlags): Promise<void> => {
  const place = await storePlace(flags)
  const window = timeWindow(flags, Date.now(), hourMs)
  const warmUpSec = settle(settings.warmUpSec, flags.warmUp, process.env, place.config).value
  const minTraces = settle(settings.minTraces, flags.minTraces, process.env, place.config).value
  const minMinutes = settle(settings.minMinutes, flags.minMinutes, process.env, place.config).value
  requireStore(place)
  const store = await openStore({ dataDir: place.dataDir, project: place.project })
  try {
    const report = await analyze(store, {
      ...window,
      ...(warmUpSec === undefined ? {} : { warmUpSec }),
      ...(minTraces === undefined ? {} : { minTraces }),
      ...(minMinutes === undefined ? {} : { minMinutes }),
    })
    await recordFindings(store, report)
    const possible = flags.possible ?? false
    if (flags.format === 'json') await writeData(renderJson(report), flags.output)
    else if (flags.format === 'markdown') await writeData(renderMarkdown(report, { possible }), flags.output)
    else if (flags.format === 'html') {
      const ids = exampleTraceIds(report)
      const traces = ids.length === 0 ? [] : await spansOfTraces(store, around(window), ids)
      await writeData(renderHtml(report, { traces }), flags.output)
    } else {
      const color = flags.output === undefined && wantsColor(process.stdout, process.env)
      const width = flags.output === undefined ? columnsOf(process.stdout) : 80
      await writeData(
        renderText(report, { color, width, brief: flags.brief ?? false, possible }),
        flags.output,
      )
    }
    if (flags.format === 'html' && flags.output === undefined && process.stdout.isTTY) {
      note('Tip: --output report.html writes a file to open in a browser')
    }
  } finally {
    await store.close()
  }
}
