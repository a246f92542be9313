import { expect, test } from 'vitest'
import { randomHex } from './ids.ts'

test.each([8, 16])('ids of %i bytes are lower-case hex of full length, none of them twice', (bytes) => {
  const ids = Array.from({ length: 1009 }, () => randomHex(bytes))
  for (const id of ids) expect(id).toMatch(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
  expect(new Set(ids).size).toBe(ids.length)
})
