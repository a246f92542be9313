// `npm run bench -- NAME`: the benchmarks have peers of their own, so they have a lockfile of their own, installed when first used.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const lockHash = createHash('sha256').update(readFileSync('benchmarks/package-lock.json')).digest('hex')
const marker = 'benchmarks/node_modules/.hotspan-lockfile'
if (!existsSync(marker) || readFileSync(marker, 'utf8') !== lockHash) {
  console.error('bench   installing the peers (benchmarks/package-lock.json)')
  const install = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: 'benchmarks',
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (install.status !== 0) process.exit(2)
  writeFileSync(marker, lockHash)
}
const bench = spawnSync(process.execPath, ['benchmarks/run.ts', ...process.argv.slice(2)], {
  stdio: 'inherit',
})
process.exit(bench.status ?? 70)
