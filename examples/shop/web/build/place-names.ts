import type { Plugin } from 'vite'

/** Names of countries and currencies in one language, from the ICU data of the Node that builds. */
export interface PlaceNames {
  readonly countries: Readonly<Record<string, string>>
  readonly currencies: Readonly<Record<string, string>>
}

/** Languages that the shop can be read in. */
const languages = (
  'af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fil fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko ky lo lt lv ' +
  'mk ml mn mr ms my nb ne nl pa pl pt ro ru si sk sl sq sr sv sw ta te th tr uk ur uz vi zh zu'
).split(' ')

function regionCodes(): string[] {
  const names = new Intl.DisplayNames('en', { type: 'region' })
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(65 + i))
  return letters
    .flatMap((first) => letters.map((second) => first + second))
    .filter((code) => names.of(code) !== code && code !== 'ZZ')
}

export function placeNames(language: string): PlaceNames {
  const named = (type: 'region' | 'currency', codes: readonly string[]) => {
    const names = new Intl.DisplayNames(language, { type })
    return Object.fromEntries(codes.map((code) => [code, names.of(code) ?? code]))
  }
  return {
    countries: named('region', regionCodes()),
    currencies: named('currency', Intl.supportedValuesOf('currency')),
  }
}

const prefix = 'virtual:place-names/'

/**
 * Modules with the names of places and currencies: `virtual:place-names/de` holds one language,
 * `virtual:place-names/each` loads one on demand, `virtual:place-names/all` holds all of them.
 */
export function placeNamesPlugin(): Plugin {
  const content = (name: string): string => {
    if (name === 'all') {
      return `export const all = ${JSON.stringify(Object.fromEntries(languages.map((code) => [code, placeNames(code)])))}`
    }
    if (name === 'each') {
      const loaders = languages.map((code) => `${code}: () => import('${prefix}${code}')`)
      return `export const each = { ${loaders.join(', ')} }`
    }
    return `export default ${JSON.stringify(placeNames(name))}`
  }
  return {
    name: 'shop-place-names',
    resolveId: (id) => (id.startsWith(prefix) ? `\0${id}` : undefined),
    load: (id) => (id.startsWith(`\0${prefix}`) ? content(id.slice(prefix.length + 1)) : undefined),
  }
}
