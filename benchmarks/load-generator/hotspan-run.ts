// One run of our generator in a process of its own. Arguments: URL, rate, seconds. Prints p50 and mean, ms.
import { generateLoad } from '../../loadtests/dist/index.js'

const [url, rate, seconds] = process.argv.slice(2)
const { run } = await generateLoad({
  url: url!,
  scenario: { name: 'bench', endpoints: [{ name: 'GET /', path: '/' }] },
  arrivals: 'constant',
  arrivalsPerSec: Number(rate),
  measuredMs: Number(seconds) * 1000,
  maxOpen: 10_000,
  seed: 1,
})
const [p50, mean] = [run.metrics['latency.p50']!, run.metrics['latency.mean']!]
const { generatorCpuMs, lateShareRatio } = run.health
console.log(
  JSON.stringify({ p50Ms: p50.value, meanMs: mean.value, n: p50.n, generatorCpuMs, lateShareRatio }),
)
