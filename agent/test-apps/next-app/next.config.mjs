import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

// The packages lie beside this folder.
export default { turbopack: { root: dirname(dirname(fileURLToPath(import.meta.url))) } }
