import type { Chunk } from './transport.ts'

/** Bounds of what waits for the next visit. */
const MAX_CHARS = 500_000
const MAX_AGE_MS = 86_400_000
const PREFIX = 'hotspan.chunk.'

const storedKeys = (): string[] => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX))

/** Keeps a chunk for the next visit; false when storage is refused or full. One key each, so that tabs do not race. */
export const storeChunk = (chunk: Chunk): boolean => {
  try {
    const usedChars = storedKeys().reduce((sum, key) => sum + localStorage[key].length, 0)
    if (usedChars + chunk.body.length > MAX_CHARS) return false
    localStorage[PREFIX + chunk.id] = `${chunk.bornMs} ${chunk.path} ${chunk.body}`
    return true
  } catch {
    return false
  }
}

export const forgetChunk = (chunk: Chunk): void => {
  try {
    localStorage.removeItem(PREFIX + chunk.id)
  } catch {}
}

/** Hands over what an earlier visit kept; one tab does it. */
export const drainStorage = (take: (chunk: Omit<Chunk, 'bytes'>) => void): void => {
  const drain = () => {
    for (const key of storedKeys()) {
      const [, born, path, body] = /^(\d+) (\w+) (.*)$/s.exec(localStorage[key]) ?? []
      localStorage.removeItem(key)
      if (body && Date.now() - Number(born) < MAX_AGE_MS)
        take({
          id: key.slice(PREFIX.length),
          path: path as Chunk['path'],
          body,
          bornMs: Number(born),
          tries: 0,
        })
    }
  }
  if (!storedKeys().length) return
  navigator.locks
    ? navigator.locks.request('hotspan', { ifAvailable: true }, (lock) => lock && drain())
    : drain()
}
