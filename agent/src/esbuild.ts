/** Door `@hotspan/agent/esbuild`: a build plugin, so that packages inside a bundle are instrumented. */
export { hotspanEsbuild } from './esbuild/plugin.ts'
