/** A collector in a process of its own, to be killed. Prints its URLs as one line of JSON. argv: data directory. */
import { createCollector } from '../collector.ts'

const [dataDir = ''] = process.argv.slice(2)
const collector = await createCollector({ dataDir, otlpHttpPort: 0, pagePort: 0, retentionDays: 0 })
process.stdout.write(`${JSON.stringify({ otlpUrl: collector.otlpUrl, pageUrl: collector.pageUrl })}\n`)
process.on('SIGTERM', () => {
  void collector.close().then(() => process.exit(0))
})
