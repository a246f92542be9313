import { all } from 'virtual:place-names/all'
import type { PlaceNames } from '../../build/place-names.ts'

/** Fault `oversized-bundle`: every language is part of the first script. */
export async function loadPlaceNames(language: string): Promise<PlaceNames> {
  const names = all[language] ?? all.en
  if (names === undefined) throw new Error('The build has no place names')
  return names
}
