// One autocannon run in a process of its own. Arguments: URL, rate, seconds, 1 to ignore coordinated omission. Prints p50 and mean, ms.
import autocannon from 'autocannon'

const [url, rate, seconds, ignore] = process.argv.slice(2)
const result = await autocannon({
  url: url!,
  connections: Math.max(10, Math.ceil(Number(rate) * 0.2)),
  overallRate: Number(rate),
  duration: Number(seconds),
  ignoreCoordinatedOmission: ignore === '1',
})
console.log(
  JSON.stringify({ p50Ms: result.latency.p50, meanMs: result.latency.average, n: result.latency.totalCount }),
)
