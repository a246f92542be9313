import { each } from 'virtual:place-names/each'
import type { PlaceNames } from '../../build/place-names.ts'

/** Loads the names of one language when somebody looks at them. */
export async function loadPlaceNames(language: string): Promise<PlaceNames> {
  const load = each[language] ?? each.en
  if (load === undefined) throw new Error('The build has no place names')
  return (await load()).default
}
