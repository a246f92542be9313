import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeModel, modelName } from './model.ts'

const modelSeed = 20_260_101

export interface ModelFile {
  readonly path: string
  remove(): void
}

/** Writes the shop's model to a temporary folder; whoever asks for it removes it. */
export function writeModelFile(): ModelFile {
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-shop-model-'))
  const path = join(folder, `${modelName}.onnx`)
  writeFileSync(path, makeModel(modelSeed))
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
