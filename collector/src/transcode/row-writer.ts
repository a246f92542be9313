/** A growing buffer of RowBinary. One is kept and used again; `copy` gives the finished rows. */
export class RowWriter {
  bytes: Buffer
  at = 0

  constructor(capacity = 1 << 16) {
    this.bytes = Buffer.allocUnsafeSlow(capacity)
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const need = this.at + count
    if (need <= this.bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(need, this.bytes.length * 2))
    this.bytes.copy(grown, 0, 0, this.at)
    this.bytes = grown
  }

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.at++] = value
  }

  /** LEB128 of a whole number from 0 to 2^53. */
  varint(value: number): void {
    this.reserve(8)
    let rest = value
    while (rest >= 0x80) {
      this.bytes[this.at++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.bytes[this.at++] = rest
  }

  /** Length and UTF-8 bytes; a lone surrogate becomes U+FFFD. */
  string(text: string): void {
    const size = Buffer.byteLength(text)
    this.varint(size)
    this.reserve(size)
    this.at += this.bytes.write(text, this.at, size, 'utf8')
  }

  uint64(value: bigint): void {
    this.reserve(8)
    this.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), this.at)
    this.at += 8
  }

  copy(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.at))
  }
}
