/** Door `hotspan`: what a `hotspan.config.ts` imports. */
export type { HotspanConfig } from './config/define-config.ts'
export { defineConfig } from './config/define-config.ts'
