import { createServer, type IncomingHttpHeaders } from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { closeServer, listen } from './sink.ts'

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export type ReactBuild = 'production' | 'profiling' | 'development'

const reactAliases = (version: 18 | 19, build: ReactBuild): Record<string, string> => {
  const dom = version === 18 ? 'react-dom-18' : 'react-dom'
  const profiling: Record<string, string> =
    build !== 'profiling'
      ? {}
      : version === 18
        ? { 'react-dom': `${dom}/profiling` }
        : { 'react-dom/client': `${dom}/profiling` }
  return version === 18
    ? { react: 'react-18', 'react-dom/client': `${dom}/client`, 'react-dom': dom, ...profiling }
    : profiling
}

/** Bundles a page of `pages/` with the SDK as it is published (`npm run build` makes it); React in the version and build asked for. */
export const bundlePage = async (
  page: string,
  react: ReactBuild = 'production',
  version: 18 | 19 = 19,
): Promise<string> => {
  const result = await build({
    entryPoints: [folder(`pages/${page}`)],
    bundle: true,
    write: false,
    minify: react !== 'development',
    keepNames: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxDev: false,
    define: { 'process.env.NODE_ENV': JSON.stringify(react === 'development' ? react : 'production') },
    alias: {
      '@hotspan/browser': folder('../dist/index.js'),
      '@hotspan/browser/routers': folder('../dist/routers/index.js'),
      '@hotspan/browser/react': folder('../dist/react/index.js'),
      ...reactAliases(version, react),
    },
  })
  return result.outputFiles[0]!.text
}

export interface Site {
  readonly origin: string
  /** Requests to `/api/...`, oldest first. */
  readonly requests: { path: string; method: string; headers: IncomingHttpHeaders }[]
  /** Paths of the documents that were asked for. */
  readonly documents: string[]
  /** Body of `/`; `script` goes into `/app.js`. */
  html: string
  script: string
  /** Sends the end of `/api/stream`, whose beginning is out. */
  finishStream?: () => void
  /** Headers of the document. */
  headers: Record<string, string>
  close(): Promise<void>
}

/** The application's origin: one page, one script, an API that answers at once (`?ms=` later, `?status=` otherwise). */
export const openSite = async (): Promise<Site> => {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, 'http://site')
    if (url.pathname.startsWith('/api/')) {
      response.setHeader('access-control-allow-origin', '*')
      response.setHeader('access-control-allow-headers', '*')
      response.setHeader('access-control-allow-methods', '*')
      if (request.method === 'OPTIONS') return response.writeHead(204).end()
      site.requests.push({ path: url.pathname, method: request.method!, headers: request.headers })
      if (url.pathname === '/api/stream') {
        response.writeHead(200, { 'content-type': 'text/plain' }).write('first ')
        site.finishStream = () => response.end('last')
        return
      }
      const ms = Number(url.searchParams.get('ms'))
      if (ms) await new Promise((resolve) => setTimeout(resolve, ms))
      response.writeHead(Number(url.searchParams.get('status')) || 200, {
        'content-type': 'application/json',
      })
      return response.end('{"ok":true}')
    }
    if (url.pathname === '/app.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' })
      return response.end(site.script)
    }
    if (url.pathname === '/favicon.ico') return response.writeHead(404).end()
    site.documents.push(url.pathname)
    response.writeHead(200, { 'content-type': 'text/html', ...site.headers })
    response.end(url.pathname === '/elsewhere' ? '<p>elsewhere</p>' : site.html)
  })
  const site: Site = {
    origin: await listen(server),
    requests: [],
    documents: [],
    html: '<!doctype html><html><body><div id="root"></div><script type="module" src="/app.js"></script></body></html>',
    script: '',
    headers: {},
    close: () => closeServer(server),
  }
  return site
}
