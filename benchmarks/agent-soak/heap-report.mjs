// Loaded beside the app: at SIGUSR2 collects garbage and writes what is left, whole and ours, into a file.
import { renameSync, writeFileSync } from 'node:fs'
import { queryObjects } from 'node:v8'
import { trace } from '@opentelemetry/api'
import { stats } from '../../agent/dist/index.js'

/** The class is none of the agent's exports: it is what its spans are made of. */
const AgentSpan = trace.getTracer('heap-report').startSpan('heap-report').constructor

process.on('SIGUSR2', () => {
  globalThis.gc()
  const { heapUsed, external, rss } = process.memoryUsage()
  const livingSpans = queryObjects(AgentSpan, { format: 'count' })
  const report = { heapUsed, external, rss, livingSpans, spans: stats().spans }
  const file = process.env.BENCH_HEAP_FILE
  writeFileSync(`${file}.part`, JSON.stringify(report))
  renameSync(`${file}.part`, file)
})
