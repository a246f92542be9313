// One analysis in a process of its own. Arguments: data directory, start and end of the window in epoch ms. Prints what it took.
import { analyze } from '../../analyzers/dist/index.js'
import { openStore } from '../../collector/dist/index.js'

const [dataDir, fromMs, toMs] = process.argv.slice(2)
const store = await openStore({ dataDir: dataDir! })
const report = await analyze(store, { fromMs: Number(fromMs), toMs: Number(toMs) })
await store.close()
console.log(
  JSON.stringify({
    tookMs: report.tookMs,
    peakMiB: process.resourceUsage().maxRSS / 1024,
    spans: report.coverage.spans,
    findings: report.findings
      .filter(({ confidence }) => confidence !== 'possible')
      .map(({ detector }) => detector),
  }),
)
