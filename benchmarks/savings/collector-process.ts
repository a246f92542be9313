// A collector in a process of its own, so that the generator does not share its event loop. Argument: data directory. Prints its address.
import { createCollector } from '../../collector/dist/index.js'

const collector = await createCollector({ dataDir: process.argv[2]!, otlpHttpPort: 0, pagePort: 0 })
process.once('SIGTERM', () => void collector.close().then(() => process.exit(0)))
console.log(JSON.stringify({ otlpUrl: collector.otlpUrl }))
