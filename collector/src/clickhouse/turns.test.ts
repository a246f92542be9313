import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

const stays = new AbortController().signal

test('turns come in order; who goes away while waiting leaves the queue and keeps no turn', async () => {
  const turns = new Turns(1, 3)
  const first = await turns.take(stays)
  const going = [new AbortController(), new AbortController()]
  const gone = going.map(({ signal }) => turns.take(signal))
  const waits = turns.take(stays)
  await expect(turns.take(stays)).rejects.toThrow('too many')
  for (const controller of going) controller.abort()
  expect(await Promise.all(gone)).toEqual([null, null])
  first!()
  first!()
  const second = await waits
  expect(await turns.take(AbortSignal.abort())).toBe(null)
  // At the moment of its turn it goes: the turn is the next one's.
  const late = new AbortController()
  const given = turns.take(late.signal)
  second!()
  late.abort()
  const ended = await given
  ended?.()
  expect(await turns.take(stays)).not.toBe(null)
})
