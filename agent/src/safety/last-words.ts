import type { Endpoint } from '../send/post.ts'
import type { SpanQueue } from '../send/span-queue.ts'

/** Longest that a dying process waits for its last batches, ms. */
const MOST_MS = 2000

/** Reads its job from standard input, where no process list shows a token: a line of JSON, then the bodies one by one. */
const SENDER = `
const parts = []
for await (const part of process.stdin) parts.push(part)
const input = Buffer.concat(parts)
const end = input.indexOf(10)
const { url, headers, sizes } = JSON.parse(input.subarray(0, end).toString())
const { request } = await import(url.startsWith('https:') ? 'node:https' : 'node:http')
let at = end + 1
for (const size of sizes) {
  const body = input.subarray(at, at + size)
  at += size
  await new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', agent: false, headers: { ...headers, 'content-length': size } })
    call.on('response', (answer) => {
      answer.resume()
      answer.on('close', () => (answer.statusCode < 300 ? resolve() : reject(new Error('refused'))))
    })
    call.on('error', reject)
    call.end(body)
  })
}
`

/** Sends what waits from another process, while this one stands still. What does not arrive in time counts as failed. */
export function sendBeforeDeath(queue: SpanQueue, endpoint: Endpoint, deadlineMs: number): void {
  // Asked for now: an app that does not die needs no such module. From Node 20.16 and 22.3 on.
  const children = process.getBuiltinModule?.('node:child_process') as
    | typeof import('node:child_process')
    | undefined
  if (children === undefined) return
  const batches = []
  for (let batch = queue.take(); batch !== undefined; batch = queue.take()) batches.push(batch)
  if (batches.length === 0) return
  const job = {
    url: endpoint.url.href,
    headers: { ...endpoint.headers, 'content-type': 'application/x-protobuf' },
    sizes: batches.map(({ bytes }) => bytes),
  }
  const { status } = children.spawnSync(process.execPath, ['--input-type=module', '-e', SENDER], {
    input: Buffer.concat([
      Buffer.from(`${JSON.stringify(job)}\n`),
      ...batches.flatMap(({ pieces }) => pieces),
    ]),
    env: environment(),
    stdio: ['pipe', 'ignore', 'ignore'],
    // 0 would mean no limit.
    timeout: Math.max(1, Math.min(MOST_MS, deadlineMs)),
    windowsHide: true,
  })
  for (const batch of batches) queue.done(batch, status === 0 ? 0 : batch.count)
}

/** What a Node process needs to run and to trust the endpoint; without `NODE_OPTIONS`, or the agent would start in it too. */
function environment(): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of [
    'LD_LIBRARY_PATH',
    'NODE_EXTRA_CA_CERTS',
    'SSL_CERT_FILE',
    'SSL_CERT_DIR',
    'SystemRoot',
  ]) {
    const value = process.env[name]
    if (value !== undefined) kept[name] = value
  }
  return kept
}
