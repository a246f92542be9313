/**
 * 128 bits of a body, by which it is known when it comes again: XXH64 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md) with two
 * seeds in one pass. It holds against chance, not against a forger, who would only have bodies of the own project taken for one.
 * SHA-256 of the body would be a third of what receiving costs (`npm run bench -- receive`).
 */

// biome-ignore-start lint/correctness/noPrecisionLoss: an u64 is none of JavaScript's numbers
const prime1: u64 = 0x9e3779b185ebca87
const prime2: u64 = 0xc2b2ae3d27d4eb4f
const prime3: u64 = 0x165667b19e3779f9
const prime4: u64 = 0x85ebca77c2b2ae63
const prime5: u64 = 0x27d4eb2f165667c5
// biome-ignore-end lint/correctness/noPrecisionLoss: an u64 is none of JavaScript's numbers
const laneBytes: usize = 8
const stripeBytes: usize = 32

function round(lane: u64, input: u64): u64 {
  return rotl(lane + input * prime2, 31) * prime1
}

function merged(hash: u64, lane: u64): u64 {
  return (hash ^ round(0, lane)) * prime1 + prime4
}

/** XXH64 of [from, to). */
export function xxh64(from: usize, to: usize, seed: u64): u64 {
  let at = from
  let hash = seed + prime5
  if (to - from >= stripeBytes) {
    let lane1 = seed + prime1 + prime2
    let lane2 = seed + prime2
    let lane3 = seed
    let lane4 = seed - prime1
    for (const last = to - stripeBytes; at <= last; at += stripeBytes) {
      lane1 = round(lane1, load<u64>(at))
      lane2 = round(lane2, load<u64>(at, 8))
      lane3 = round(lane3, load<u64>(at, 16))
      lane4 = round(lane4, load<u64>(at, 24))
    }
    hash = rotl(lane1, 1) + rotl(lane2, 7) + rotl(lane3, 12) + rotl(lane4, 18)
    hash = merged(merged(merged(merged(hash, lane1), lane2), lane3), lane4)
  }
  hash += to - from
  for (; at + laneBytes <= to; at += laneBytes)
    hash = rotl(hash ^ round(0, load<u64>(at)), 27) * prime1 + prime4
  if (at + 4 <= to) {
    hash = rotl(hash ^ (<u64>load<u32>(at) * prime1), 23) * prime2 + prime3
    at += 4
  }
  for (; at < to; at++) hash = rotl(hash ^ (<u64>load<u8>(at) * prime5), 11) * prime1
  hash = (hash ^ (hash >> 33)) * prime2
  hash = (hash ^ (hash >> 29)) * prime3
  return hash ^ (hash >> 32)
}
