import type { Chunk } from './transport.ts'

/** Bounds of what waits for the next visit. */
const MAX_CHARS = 500_000
const MAX_AGE_MS = 86_400_000
const PREFIX = 'hotspan.chunk.'

const storedKeys = (): string[] => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX))

/** Keeps a chunk for the next visit; false when storage is refused or full. One key each, so that tabs do not race. */
export const storeChunk = (chunk: Chunk): boolean => {
  try {
    const usedChars = storedKeys()
      .map((key) => localStorage[key])
      .join('').length
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

/** Hands over what an earlier visit kept. Two tabs may do it at once: the receiver drops the chunk that comes twice. */
export const drainStorage = (take: (chunk: Omit<Chunk, 'bytes'>) => void): void => {
  for (const key of storedKeys()) {
    const [, born, path, body] = /^(\d+) (\w+) (.*)$/s.exec(localStorage[key]) ?? []
    localStorage.removeItem(key)
    if (body && Date.now() - +born! < MAX_AGE_MS)
      take({ id: key.slice(PREFIX.length), path: path as Chunk['path'], body, bornMs: +born!, tries: 0 })
  }
}
