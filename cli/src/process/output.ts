import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { missingSetUp } from '../errors.ts'

/** Data goes to stdout, or to `--output FILE` (its folder is made); what was written is told on stderr. */
export const writeData = async (text: string, output: string | undefined): Promise<void> => {
  if (output === undefined) {
    process.stdout.write(text)
    return
  }
  const file = resolve(output)
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  } catch (error) {
    throw missingSetUp(
      `--output ${output} cannot be written: ${(error as Error).message}`,
      'Name a file in a directory you may write to',
    )
  }
  note(`wrote ${output}`)
}

/** Progress and remarks for people. */
export const note = (text: string): void => {
  process.stderr.write(`${text}\n`)
}
