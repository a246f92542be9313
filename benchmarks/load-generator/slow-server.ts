// A server that takes 100 ms for every answer, keeps its own record of them, and can stall: the truth of the load-generator bench.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const answerMs = 100
const tookMs: number[] = []
let stalledUntilMs = 0

const server = createServer((request, response) => {
  const arrivedMs = performance.now()
  if (request.url === '/record') {
    response.end(JSON.stringify(tookMs))
    tookMs.length = 0
    return
  }
  const stall = /^\/stall\?ms=(\d+)$/.exec(request.url ?? '')
  if (stall) {
    stalledUntilMs = arrivedMs + Number(stall[1])
    return response.end()
  }
  const dueMs = Math.max(arrivedMs + answerMs, stalledUntilMs)
  const answer = () => {
    // A timer may fire a little early; nothing leaves before its time.
    if (performance.now() < dueMs) return setImmediate(answer)
    tookMs.push(performance.now() - arrivedMs)
    response.end('ok')
  }
  setTimeout(answer, dueMs - arrivedMs - 1)
})
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }))
})
process.on('SIGTERM', () => process.exit(0))
