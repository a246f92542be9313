// One span in each process: a parent and a forked child (FAMILY=fork), or a cluster's workers behind one port (FAMILY=cluster).
import { fork } from 'node:child_process'
import cluster from 'node:cluster'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { trace } from '@opentelemetry/api'

const span = (name) => trace.getTracer('family-app').startSpan(name).end()
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

if (process.env.FAMILY === 'fork') {
  if (process.send === undefined) {
    span('parent')
    const child = fork(fileURLToPath(import.meta.url))
    child.once('exit', (code) => print({ child: child.pid, code }))
  } else {
    span('child')
    process.disconnect()
  }
} else if (cluster.isPrimary) {
  let listening = 0
  const workers = [cluster.fork(), cluster.fork()]
  cluster.on('listening', (_worker, { port }) => {
    if (++listening === 2) print({ port, pids: workers.map((worker) => worker.process.pid) })
  })
  process.on('SIGTERM', () => {
    for (const worker of workers) worker.process.kill('SIGTERM')
    cluster.once('exit', () => cluster.once('exit', () => process.exit(0)))
  })
} else {
  createServer((_request, response) => {
    response.setHeader('connection', 'close')
    response.end(String(process.pid))
  }).listen(0, '127.0.0.1')
}
