import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Folders of the npm workspaces, as the root package.json lists them. */
export const workspaces = JSON.parse(
  readFileSync(fileURLToPath(new URL('../package.json', import.meta.url)), 'utf8'),
).workspaces
