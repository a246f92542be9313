/**
 * Harrell-Davis quantile: `sum w_i x_(i)`, `w_i = I(i/n; a, b) - I((i-1)/n; a, b)`, `a = (n+1) q`, `b = (n+1)(1-q)`, `I` the
 * regularised incomplete beta function (Harrell and Davis, Biometrika 1982). Smoother than one order statistic; wants the raw values.
 * NaN for no values.
 */
export function harrellDavis(values: Iterable<number>, q: number): number {
  return sortedQuantile(Float64Array.from(values).sort(), q)
}

/** The same over values that are sorted already, ascending. */
export function sortedQuantile(sorted: Float64Array, q: number): number {
  const n = sorted.length
  if (n === 0) return Number.NaN
  if (!(q > 0 && q < 1)) throw new RangeError(`quantile q is ${q}; expected 0 < q < 1`)
  if (n === 1) return sorted[0]!
  const a = (n + 1) * q
  const b = (n + 1) * (1 - q)
  // Twelve standard deviations of the beta distribution around its mean hold all weight that a double can see.
  const mean = a / (a + b)
  const sd = Math.sqrt((a * b) / ((a + b) ** 2 * (a + b + 1)))
  const first = Math.max(0, Math.floor((mean - 12 * sd) * n))
  const last = Math.min(n - 1, Math.ceil((mean + 12 * sd) * n))
  let below = regularisedBeta(first / n, a, b)
  let sum = 0
  let weights = 0
  for (let i = first; i <= last; i++) {
    const upTo = regularisedBeta((i + 1) / n, a, b)
    sum += (upTo - below) * sorted[i]!
    weights += upTo - below
    below = upTo
  }
  return sum / weights
}

/** Regularised incomplete beta function `I(x; a, b)`, by the continued fraction of Lentz (DLMF 8.17.22). Relative error about 1e-12. */
export function regularisedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  // The fraction converges fast below the mean; above it the symmetric form is used.
  if (x > (a + 1) / (a + b + 2)) return 1 - regularisedBeta(1 - x, b, a)
  const logFront = logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)
  return (Math.exp(logFront) / a) * betaFraction(x, a, b)
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300
  const guard = (value: number) => (Math.abs(value) < tiny ? tiny : value)
  let c = 1
  let d = 1 / guard(1 - ((a + b) * x) / (a + 1))
  let result = d
  // The number of terms grows with sqrt(max(a, b)); 100,000 covers 10^9 samples.
  for (let m = 1; m < 100_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / guard(1 + even * d)
    c = guard(1 + even / c)
    result *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / guard(1 + odd * d)
    c = guard(1 + odd / c)
    const delta = d * c
    result *= delta
    if (Math.abs(delta - 1) < 1e-14) break
  }
  return result
}

const lanczos = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

/** Natural logarithm of the gamma function for x > 0 (Lanczos, g = 7, n = 9), relative error about 1e-15. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  const z = x - 1
  let series = 0.99999999999980993
  for (const [i, coefficient] of lanczos.entries()) series += coefficient / (z + i + 1)
  const t = z + 7.5
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(series)
}
