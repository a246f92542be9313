import { utf8Bytes } from './chunks.ts'
import { consent } from './consent.ts'
import { whenIdle } from './lifecycle.ts'
import { type Chunk, resend, setKeeper } from './transport.ts'

/** Bounds of what waits for the next visit. */
const MAX_CHARS = 500_000
const MAX_AGE_MS = 86_400_000
const PREFIX = 'hotspan.chunk.'

const storedKeys = (): string[] => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX))

/** Keeps a chunk for the next visit; false when storage is refused or full. One key each, so that tabs do not race. */
const store = (chunk: Chunk): boolean => {
  try {
    if (consent !== 'granted') return false
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

const forget = (chunk: Chunk): void => {
  try {
    localStorage.removeItem(PREFIX + chunk.id)
  } catch {}
}

/**
 * What the receiver did not take waits in `localStorage` for the next visit: 500 kB, 24 hours. Two tabs may hand it over at once:
 * the receiver drops the chunk that comes twice.
 */
export const offline = (): void => {
  setKeeper({ store, forget })
  whenIdle(() => {
    if (consent !== 'granted') return
    for (const key of storedKeys()) {
      const [, born, path, body] = /^(\d+) (\w+) (.*)$/s.exec(localStorage[key]) ?? []
      localStorage.removeItem(key)
      if (body && Date.now() - +born! < MAX_AGE_MS)
        resend({
          id: key.slice(PREFIX.length),
          path: path as Chunk['path'],
          body,
          bytes: utf8Bytes(body),
          bornMs: +born!,
          tries: 0,
        })
    }
  })
}
