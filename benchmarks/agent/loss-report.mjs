// Loaded beside the app: writes the agent's own counts into a file when asked by SIGUSR2.
import { renameSync, writeFileSync } from 'node:fs'
import { stats } from '../../agent/dist/index.js'

process.on('SIGUSR2', () => {
  const file = process.env.BENCH_STATS_FILE
  writeFileSync(`${file}.part`, JSON.stringify(stats().spans))
  renameSync(`${file}.part`, file)
})
