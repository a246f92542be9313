import type { AnalysisWindow } from './window.ts'

/** A detector's candidates and its confirmation rest on the same question; the engine answers it once per window. */
export function oncePerWindow<Answer>(
  ask: (window: AnalysisWindow) => Promise<Answer>,
): (window: AnalysisWindow) => Promise<Answer> {
  const answers = new WeakMap<AnalysisWindow, Promise<Answer>>()
  return (window) => {
    const known = answers.get(window) ?? ask(window)
    answers.set(window, known)
    return known
  }
}
