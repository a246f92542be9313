import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** What a page pays of the built package: minified by esbuild for ES2022, gzip -9, React left out, which the application has. */
const gzipBytes = async (source: string): Promise<number> => {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: folder },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    external: ['react'],
  })
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length
}

/** Each adds to the one above; the budgets are the product's promise. */
const budgets = [
  [
    'core',
    `export { start, shutdown } from '../dist/start.js'; export { startSpan, endSpan, emitEvent } from '../dist/core/tracer.js'`,
    3500,
  ],
  ['requests', `export { start, network } from '../dist/index.js'`, 5000],
  ['init', `export { init } from '../dist/index.js'`, 11_800],
  [
    'React',
    `import '../dist/react/index.js'; export { init } from '../dist/index.js'; export * from '../dist/react/index.js'; export { action, bind, failures, recordError, setConsent, setRoute, shutdown, transportStats } from '../dist/index.js'`,
    13_000,
  ],
] as const

test.each(budgets)('%s', async (_name, source, budgetBytes) => {
  expect(await gzipBytes(source)).toBeLessThanOrEqual(budgetBytes)
})

test('a page without React pays nothing for it', async () => {
  const init = await gzipBytes(`export { init } from './index.ts'`)
  const none = await gzipBytes(`import './index.ts'`)
  expect(none).toBeLessThan(100)
  expect(init).toBeGreaterThan(5000)
})
