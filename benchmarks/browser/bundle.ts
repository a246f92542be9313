import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** Where React 19 is; this folder's own is 18. */
const react19 = fileURLToPath(new URL('../../browser-sdk', import.meta.url))

export interface BundleOptions {
  /** What `RECEIVER` stands for. */
  readonly receiver?: string
  readonly format?: 'esm' | 'iife'
  /** React: in the bundle, an import of it, or left to the page's own script. */
  readonly react?: 'inside' | 'import' | 'outside'
}

/** One minified file for ES2022, as a production build makes it. */
export async function bundle(source: string, options: BundleOptions = {}): Promise<string> {
  const { receiver, format = 'iife', react = 'outside' } = options
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: react === 'inside' ? react19 : folder, loader: 'tsx' },
    bundle: true,
    minify: true,
    write: false,
    format,
    target: 'es2022',
    jsx: 'automatic',
    external: react === 'import' ? ['react', 'react-dom'] : [],
    alias: react === 'outside' ? { react: `${folder}react-outside.ts` } : {},
    define: {
      'process.env.NODE_ENV': '"production"',
      ...(receiver === undefined ? {} : { RECEIVER: JSON.stringify(receiver) }),
    },
    logLevel: 'error',
  })
  return outputFiles![0]!.text
}
