const { extname } = require('node:path')
const { transform } = require('esbuild')

/** A webpack loader: TypeScript and JSX to JavaScript, with a map. */
module.exports = function load(code) {
  const done = this.async()
  transform(code, {
    loader: extname(this.resourcePath).slice(1),
    jsx: 'automatic',
    target: 'es2022',
    sourcemap: 'external',
    sourcefile: this.resourcePath,
    sourcesContent: true,
  }).then(({ code: output, map }) => done(null, output, JSON.parse(map)), done)
}
