import { RowWriter } from './row-writer.ts'

/** Rows of many bodies share a page, which is written anew when the last of them is in the store. */
const pageBytes = 4 * 1024 * 1024
const pagesKept = 16

interface Page {
  readonly bytes: Buffer
  /** Bodies whose rows in it are not given back. */
  users: number
  isFull: boolean
}

/**
 * Memory for finished rows: fresh memory for every body costs page faults and garbage collections. Rows that are never given back are
 * garbage-collected with their page.
 */
export class RowPages {
  readonly writer: RowWriter
  private page: Page
  private readonly free: Buffer[] = []

  constructor() {
    this.page = this.next()
    this.writer = new RowWriter(this.page.bytes)
  }

  /** The rows that `writer` wrote since `start`, without a copy, and what gives their memory back. */
  handOver(start: number): { payload: Buffer; release: () => void } {
    const { writer, page } = this
    const payload = writer.bytes.subarray(start, writer.at)
    // A body that did not fit has made the writer leave the page for a larger buffer, which is the body's alone.
    const inPage = writer.bytes === page.bytes
    if (inPage) page.users += 1
    if (!inPage || writer.bytes.length - writer.at < pageBytes >> 2) {
      page.isFull = true
      this.recycle(page)
      this.page = this.next()
      writer.startIn(this.page.bytes)
    }
    let held = inPage
    const release = () => {
      if (!held) return
      held = false
      page.users -= 1
      this.recycle(page)
    }
    return { payload, release }
  }

  /** Forgets what `writer` wrote since `start`, and the larger buffer that it may have left the page for. */
  takeBack(start: number): void {
    const { writer, page } = this
    if (writer.bytes !== page.bytes) writer.startIn(page.bytes)
    writer.at = start
  }

  private recycle(page: Page): void {
    if (page.isFull && page.users === 0 && this.free.length < pagesKept) this.free.push(page.bytes)
  }

  private next(): Page {
    return { bytes: this.free.pop() ?? Buffer.allocUnsafeSlow(pageBytes), users: 0, isFull: false }
  }
}
