/**
 * Distribution functions that the tests and intervals need. Relative error below 1e-10 (checked against published tables in
 * `distributions.test.ts`); log-gamma by Lanczos (g = 7, n = 9), the incomplete beta by Lentz's continued fraction
 * (Numerical Recipes, 3rd edition, 6.4).
 */
const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  const z = x - 1
  let sum = lanczos[0]!
  for (let i = 1; i < lanczos.length; i++) sum += lanczos[i]! / (z + i)
  const t = z + 7.5
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum)
}

/** Regularised incomplete beta I_x(a, b), 0 to 1. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x))
  // The fraction converges fast below the mean only; the other half follows by symmetry.
  return x < (a + 1) / (a + b + 2)
    ? (front * betaFraction(x, a, b)) / a
    : 1 - (front * betaFraction(1 - x, b, a)) / b
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300
  let c = 1
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1), tiny)
  let h = d
  for (let m = 1; m <= 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / awayFromZero(1 + even * d, tiny)
    c = awayFromZero(1 + even / c, tiny)
    h *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / awayFromZero(1 + odd * d, tiny)
    c = awayFromZero(1 + odd / c, tiny)
    const step = d * c
    h *= step
    if (Math.abs(step - 1) < 1e-15) break
  }
  return h
}

const awayFromZero = (x: number, tiny: number) => (Math.abs(x) < tiny ? tiny : x)

/** P(T > t) of Student's t with `degrees` degrees of freedom. */
export function studentUpperTail(t: number, degrees: number): number {
  const tail = incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2
  return t >= 0 ? tail : 1 - tail
}

/** P(Z > z) of the standard normal, by the incomplete gamma's continued fraction far out and its series near the middle. */
export function normalUpperTail(z: number): number {
  if (z < 0) return 1 - normalUpperTail(-z)
  const x = (z * z) / 2
  if (x < 2) {
    let term = 1 / 0.5
    let sum = term
    for (let k = 1; k < 200 && term > sum * 1e-17; k++) {
      term *= x / (0.5 + k)
      sum += term
    }
    return 0.5 - (sum * Math.sqrt(x) * Math.exp(-x)) / (2 * Math.sqrt(Math.PI))
  }
  const tiny = 1e-300
  let b = x + 0.5
  let c = 1 / tiny
  let d = 1 / b
  let h = d
  for (let k = 1; k <= 500; k++) {
    const an = -k * (k - 0.5)
    b += 2
    d = 1 / awayFromZero(an * d + b, tiny)
    c = awayFromZero(b + an / c, tiny)
    const step = d * c
    h *= step
    if (Math.abs(step - 1) < 1e-15) break
  }
  return (h * Math.sqrt(x) * Math.exp(-x)) / (2 * Math.sqrt(Math.PI))
}

/** z with P(Z > z) = p. Bisection: called a few times per analysis. */
export function normalUpperQuantile(p: number): number {
  return bisect((z) => normalUpperTail(z) - p, -40, 40)
}

/** t with P(T > t) = p. */
export function studentUpperQuantile(p: number, degrees: number): number {
  return bisect((t) => studentUpperTail(t, degrees) - p, -1e6, 1e6)
}

/** P(X >= k) of n trials with probability p, exact. */
export function binomialUpperTail(k: number, n: number, p: number): number {
  if (k <= 0) return 1
  if (k > n) return 0
  return incompleteBeta(p, k, n - k + 1)
}

function bisect(f: (x: number) => number, low: number, high: number): number {
  let a = low
  let b = high
  for (let i = 0; i < 200; i++) {
    const middle = (a + b) / 2
    if (f(middle) > 0) a = middle
    else b = middle
  }
  return (a + b) / 2
}
