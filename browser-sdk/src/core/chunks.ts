const encoder = /* @__PURE__ */ new TextEncoder()

export const utf8Bytes = (text: string): number => encoder.encode(text).length

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
  const frameBytes = utf8Bytes(head + tail)
  const bodies: string[] = []
  let tooLarge = 0
  let part: string[] = []
  let bytes = frameBytes
  const close = () => {
    if (part.length) bodies.push(head + part + tail)
    part = []
    bytes = frameBytes
  }
  for (const item of items) {
    const itemBytes = utf8Bytes(item) + 1
    if (frameBytes + itemBytes - 1 > maxBytes) {
      tooLarge++
      continue
    }
    // The first item has no comma before it.
    if (bytes + itemBytes - (part.length ? 0 : 1) > maxBytes) close()
    bytes += itemBytes - (part.length ? 0 : 1)
    part.push(item)
  }
  close()
  return { bodies, tooLarge }
}
