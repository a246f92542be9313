/** Whether [from, to) is UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. */
export function isUtf8(from: usize, to: usize): bool {
  let at = from
  while (at < to) {
    const first: u32 = load<u8>(at++)
    if (first < 0x80) continue
    if (first < 0xc2 || first > 0xf4) return false
    const more: usize = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1
    if (at + more > to) return false
    // The bounds of the second byte are narrower behind four of the first ones.
    const lowest: u32 = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
    const highest: u32 = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
    const second: u32 = load<u8>(at)
    if (second < lowest || second > highest) return false
    for (let i: usize = 1; i < more; i++) if ((load<u8>(at + i) & 0xc0) !== 0x80) return false
    at += more
  }
  return true
}
