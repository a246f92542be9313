import { fileURLToPath } from 'node:url'

/**
 * The folder of the agent's code: this file stands at its top, and what is built from it is flat. Undefined in a CommonJS
 * bundle, which has no `import.meta`.
 */
export const ownFolder: string | undefined =
  import.meta.url === undefined ? undefined : fileURLToPath(new URL('.', import.meta.url))
