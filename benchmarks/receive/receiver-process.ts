// Our intake with its transcoder, in a process of its own, behind which a counter stands for the journal. argv: folder, 'check' or 'count'.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openDoors } from '../../collector/dist/doors.js'
import type { Journal } from '../../collector/dist/journal/journal.js'

const [dataDir = '', mode = 'count'] = process.argv.slice(2)
let rows = 0
let bytes = 0
/** Sum of the bodies' hashes, whatever their order. */
const sum = Buffer.alloc(32)

const counter = {
  isFull: false,
  seen: { has: () => false },
  append: async (frame: { rows: number; payload: Uint8Array; release?: () => void }) => {
    rows += frame.rows
    bytes += frame.payload.length
    if (mode === 'check') {
      const hash = createHash('sha256').update(frame.payload).digest()
      for (let i = 0; i < 32; i++) sum[i] = sum[i]! ^ hash[i]!
    }
    // As the journal does when the rows are in the store.
    frame.release?.()
    return 'written' as const
  },
}
const doors = await openDoors({
  dataDir,
  project: 'default',
  host: '127.0.0.1',
  otlpHttpPort: 0,
  journal: counter as unknown as Journal,
  engine: null,
  onEvent: (event: string) => process.stderr.write(`${event}\n`),
})
const side = createServer((_request, response) => {
  response.end(JSON.stringify({ rows, bytes, hash: sum.toString('hex') }))
})
side.listen(0, '127.0.0.1', () => {
  const { port } = side.address() as AddressInfo
  console.log(JSON.stringify({ url: doors.otlpUrl, side: `http://127.0.0.1:${port}` }))
})
process.on('SIGTERM', () => process.exit(0))
