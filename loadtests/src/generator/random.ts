/**
 * Seeded random numbers: the same seed gives the same schedule on every machine and Node version, which `Math.random` cannot.
 * sfc32 (128 bits of state, passes PractRand; Chris Doty-Humphrey), seeded through splitmix32.
 */
export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  next(): number
  /** Uniform integer in [low, high], both included. */
  integer(low: number, high: number): number
  /** One element of a list that is not empty. */
  pick<T>(items: readonly T[]): T
}

/** `stream` separates independent sequences of one seed: arrivals must not move because an endpoint drew one number more. */
export function createRandom(seed: number, stream = 0): Random {
  let mix = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) | 0
  // A seed above 32 bits must not fall together with its low half.
  mix = (mix ^ Math.floor(seed / 0x1_0000_0000)) | 0
  const splitMix = () => {
    mix = (mix + 0x9e3779b9) | 0
    let z = mix
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) | 0
  }
  let a = splitMix()
  let b = splitMix()
  let c = splitMix()
  let counter = 1
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 0x1_0000_0000
  }
  for (let i = 0; i < 12; i++) next()
  return {
    next,
    integer: (low, high) => low + Math.floor(next() * (high - low + 1)),
    pick: (items) => {
      if (items.length === 0) throw new RangeError('pick() needs a list with at least one element')
      return items[Math.floor(next() * items.length)]!
    },
  }
}
