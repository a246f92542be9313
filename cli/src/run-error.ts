import { type ExitCode, exitCode } from './exit-codes.ts'

interface KnownError extends Error {
  readonly code: string
  readonly exit?: unknown
  readonly hint?: unknown
}

/** Errors of our own packages carry a code that starts with `HS_`, and often the exit code they ask for. */
const isKnown = (error: unknown): error is KnownError =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('HS_')

/** What to print for an error, and the code to end with. */
export const reportError = (
  error: unknown,
  debug: boolean,
): { readonly text: string; readonly exit: ExitCode } => {
  if (isKnown(error)) {
    const hint = typeof error.hint === 'string' && error.hint !== '' ? `\n${error.hint}` : ''
    const exit = Object.values(exitCode).find((code) => code === error.exit) ?? exitCode.usage
    return {
      text: `hotspan: ${error.message} (${error.code})${hint}${debug ? `\n${error.stack}` : ''}`,
      exit,
    }
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { text: `hotspan: unexpected error, a fault of Hotspan's own\n${text}`, exit: exitCode.internal }
}
