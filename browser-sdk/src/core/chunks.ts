export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

export const utf8Bytes = (text: string): number => utf8(text).length

/**
 * Packs JSON items, in order, into bodies of at most `maxBytes` UTF-8 bytes, `head` and `tail` included. An item that fits
 * into no body is counted in `tooLarge`.
 */
export const packChunks = (
  items: readonly string[],
  head: string,
  tail: string,
  maxBytes: number,
): { bodies: string[]; tooLarge: number } => {
  const bodies: string[] = []
  let tooLarge = 0
  let part: string[] = []
  const roomBytes = maxBytes - utf8Bytes(head + tail)
  let leftBytes = 0
  for (const item of items) {
    // With its comma, which the last of a body does not have: a body may stay one byte below the limit.
    const itemBytes = utf8Bytes(item) + 1
    if (itemBytes > roomBytes) {
      tooLarge++
      continue
    }
    if (itemBytes > leftBytes) {
      if (part[0]) bodies.push(head + part + tail)
      part = []
      leftBytes = roomBytes
    }
    leftBytes -= itemBytes
    part.push(item)
  }
  if (part[0]) bodies.push(head + part + tail)
  return { bodies, tooLarge }
}
