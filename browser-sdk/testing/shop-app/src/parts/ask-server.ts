/** A request whose caller is named, a frame that is long, an error with a stack. */
export async function askServer(): Promise<void> {
  await fetch('/api/ask')
  setTimeout(takeLong, 0)
}

function takeLong(): void {
  const endMs = performance.now() + 120
  while (performance.now() < endMs);
  refuse()
}

function refuse(): never {
  throw new RangeError('refused')
}
