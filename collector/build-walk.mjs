// The WebAssembly that turns bodies of spans into rows, from `assembly/`, to where `src/transcode/span-walk.ts` looks for it.
import { fileURLToPath } from 'node:url'
import { main } from 'assemblyscript/asc'

const { error } = await main(
  [
    'assembly/walk.ts',
    ...['--outFile', 'dist/transcode/span-walk.wasm'],
    ...['--baseDir', fileURLToPath(new URL('.', import.meta.url))],
    // Nothing is allocated: everything lies at a fixed address.
    ...['--runtime', 'stub'],
    ...['--optimizeLevel', '3'],
    // The buffers need not stand in the file.
    '--zeroFilledMemory',
    ...['--enable', 'simd'],
    '--pedantic',
  ],
  { stderr: process.stderr },
)
if (error) {
  console.error(`collector: assembly/walk.ts does not compile: ${error.message}`)
  process.exit(1)
}
