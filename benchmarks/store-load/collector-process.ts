// A real collector with its engine in a process of its own. argv: data directory, 'door' to open the ClickHouse interface for inserts.
import { createCollector, liveOwner } from '../../collector/dist/index.js'

const [dataDir = '', door = ''] = process.argv.slice(2)
const collector = await createCollector({
  dataDir,
  otlpHttpPort: 0,
  pagePort: 0,
  retentionDays: 0,
  maxStoreBytes: 0,
  ...(door === 'door' ? { clickHousePort: 0, clickHouseInserts: true } : {}),
})
console.log(
  JSON.stringify({
    otlpUrl: collector.otlpUrl,
    pageUrl: collector.pageUrl,
    clickHouseUrl: collector.clickHouseUrl,
    enginePid: liveOwner(dataDir)?.enginePid ?? 0,
  }),
)
process.on('SIGTERM', () => void collector.close().then(() => process.exit(0)))
