import { expect, test } from 'vitest'
import { buildIdOf, sourcePath } from './built-file.ts'

test.each([
  ['../../src/rows.tsx', 'src/rows.tsx'],
  ['/home/anna/shop/src/rows.tsx', 'src/rows.tsx'],
  ['file:///home/anna/shop/src/rows.tsx', 'src/rows.tsx'],
  ['webpack:///./src/rows.tsx', 'src/rows.tsx'],
  ['webpack://shop/./src/rows.tsx?1a2b', 'src/rows.tsx'],
  ['webpack://_N_E/./app/card.jsx', 'app/card.jsx'],
  ['webpack:///webpack/runtime/jsonp chunk loading', 'webpack/runtime/jsonp chunk loading'],
  ['../../../node_modules/react-dom/client.js', 'node_modules/react-dom/client.js'],
  ['/opt/cache/node_modules/a/node_modules/b/x.js', 'node_modules/b/x.js'],
  // Beside the project: the folders above it say who built.
  ['../../../shared/src/button.tsx', 'shared/src/button.tsx'],
  ['\0virtual:names/de', 'virtual:names/de'],
])('%s is shown as %s', (source, path) => {
  expect(sourcePath(source, '/home/anna/shop/dist/assets', '/home/anna/shop')).toBe(path)
})

test('on Windows as well', () => {
  const [folder, project] = ['C:\\work\\shop\\dist\\assets', 'C:\\work\\shop']
  expect(sourcePath('../../src/rows.tsx', folder, project)).toBe('src/rows.tsx')
  expect(sourcePath('C:\\work\\shop\\src\\rows.tsx', folder, project)).toBe('src/rows.tsx')
})

test('an id is of names and content, not of their order', () => {
  const [a, b] = [
    ['a.js', 'one'],
    ['b.js', 'two'],
  ] as const
  expect(buildIdOf([a, b])).toBe(buildIdOf([b, a]))
  expect(buildIdOf([a, b])).not.toBe(buildIdOf([a]))
  expect(buildIdOf([['a.js', 'on']])).not.toBe(buildIdOf([['a.jso', 'n']]))
})
