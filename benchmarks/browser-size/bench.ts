import { gzipSync } from 'node:zlib'
import { bundle } from '../browser/bundle.ts'
import { peers } from '../browser/contenders.ts'
import type { Bench, BenchOptions, BenchResult, FigureDefinition } from '../contract/definition.ts'
import { figure } from '../contract/spread.ts'

/**
 * Each adds to the one above. What stays out of the last are the opt-ins, which a page imports by name: the custom track of the
 * DevTools and the adapters of the routers.
 */
const entries: readonly (FigureDefinition & { readonly source: string })[] = [
  {
    id: 'core-gzip-kb',
    unit: 'kB',
    target: '<=3.5',
    // With the tracer, which every signal brings along and no door exports.
    source: `export { shutdown, start } from '../../browser-sdk/dist/start.js'
      export { emitEvent, endSpan, startSpan } from '../../browser-sdk/dist/core/tracer.js'`,
  },
  {
    id: 'core-and-requests-gzip-kb',
    unit: 'kB',
    target: '<=5',
    source: `export { network, shutdown, start } from '@hotspan/browser'`,
  },
  {
    id: 'full-gzip-kb',
    unit: 'kB',
    target: '<=11.8',
    source: `export { init } from '@hotspan/browser'`,
  },
  {
    id: 'full-react-gzip-kb',
    unit: 'kB',
    target: '<=13',
    source: `import '@hotspan/browser/react'
      export {
        action, bind, failures, init, recordError, setConsent, setRoute, shutdown, transportStats,
      } from '@hotspan/browser'
      export * from '@hotspan/browser/react'`,
  },
]

export const bench: Bench = {
  name: 'browser-size',
  question: 'kB (1000 B, gzip -9) that a page loads: esbuild, minified, ES2022, React left out',
  packages: ['otlp', 'browser-sdk'],
  figures: [
    ...entries.map(({ id, unit, target }) => ({ id, unit, target })),
    ...peers.map(({ id }) => ({ id: `gzip-kb-${id}`, unit: 'kB', target: '' })),
  ],
  run,
}

const gzipKb = async (source: string, receiver?: string): Promise<number> => {
  const text = await bundle(source, {
    format: 'esm',
    react: 'import',
    ...(receiver === undefined ? {} : { receiver }),
  })
  return gzipSync(text, { level: 9 }).length / 1000
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const figures = []
  for (const { source, ...definition } of entries) figures.push(figure(definition, [await gzipKb(source)]))
  for (const peer of peers) {
    options.progress(peer.id)
    options.signal.throwIfAborted()
    figures.push(
      figure({ id: `gzip-kb-${peer.id}`, unit: 'kB', target: '' }, [await gzipKb(peer.script, '/telemetry')]),
    )
  }
  return {
    rounds: 1,
    figures,
    notes: [
      'full-react: every export of both doors but the DevTools tracks; routers have a door of their own',
      `peers set up as in the other benches: ${peers.map(({ configuration }) => configuration).join('; ')}`,
    ],
  }
}
