const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const digitOf = new Int8Array(128).fill(-1)
for (let i = 0; i < 64; i++) digitOf[alphabet.charCodeAt(i)] = i
// Protobuf JSON readers take the URL-safe alphabet too.
digitOf['-'.charCodeAt(0)] = 62
digitOf['_'.charCodeAt(0)] = 63

/** Standard base64 with padding. Own code: browsers and Node 20 share no built-in for bytes. */
export function base64OfBytes(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text += alphabet[group >> 18]! + alphabet[(group >> 12) & 63]!
    text += i + 1 < bytes.length ? alphabet[(group >> 6) & 63]! : '='
    text += i + 2 < bytes.length ? alphabet[group & 63]! : '='
  }
  return text
}

/** Bytes of base64 text, standard or URL-safe, padded or not; `null` when it is neither. */
export function bytesOfBase64(text: string): Uint8Array | null {
  const body = text.replace(/={1,2}$/, '')
  if (body.length % 4 === 1 || (body.length !== text.length && text.length % 4 !== 0)) return null
  const bytes = new Uint8Array(Math.floor((body.length * 3) / 4))
  let at = 0
  let bits = 0
  let held = 0
  for (let i = 0; i < body.length; i++) {
    const code = body.charCodeAt(i)
    const digit = code < 128 ? digitOf[code]! : -1
    if (digit < 0) return null
    held = ((held << 6) | digit) & 0xffffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = held >> bits
    }
  }
  return bytes
}
