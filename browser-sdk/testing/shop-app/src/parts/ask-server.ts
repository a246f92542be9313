/** A request whose caller is named, a frame that is long, an error with a stack of three. */
export async function askServer(): Promise<void> {
  await fetch('/api/ask')
  spin(120)
  queueMicrotask(() => refuse())
}

function spin(forMs: number): void {
  const endMs = performance.now() + forMs
  while (performance.now() < endMs);
}

function refuse(): never {
  throw new RangeError('refused')
}
