import { writeFileSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

interface Noted {
  project: string
  test: string
  reason: string
}

const firstLine = (text: string): string => text.split('\n', 1)[0]!.slice(0, 200)

/** Writes what scripts/test.mjs needs to judge the run: counts by workspace, and what failed, was skipped or needed a second try. */
export default class ResultsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const path = process.env.HOTSPAN_RESULTS
    if (!path) return
    let passed = 0
    let failed = 0
    const testsByProject: Record<string, number> = {}
    const skipped: Noted[] = []
    const failures: Noted[] = []
    const repeated: Noted[] = []
    for (const module of modules) {
      const project = module.project.name
      let inModule = 0
      for (const test of module.children.allTests()) {
        const result = test.result()
        const noted = (reason: string): Noted => ({ project, test: test.fullName, reason })
        if (result.state === 'passed') passed++
        else if (result.state === 'failed') {
          failed++
          failures.push(noted(firstLine(result.errors[0]?.message ?? '')))
        } else skipped.push(noted(('note' in result && result.note) || ''))
        if (test.diagnostic()?.flaky) repeated.push(noted(firstLine(result.errors?.[0]?.message ?? '')))
        if (result.state === 'passed' || result.state === 'failed') inModule++
      }
      // A file that could not be collected has no tests, but errors of its own.
      if (module.errors().length > 0 && module.state() === 'failed' && inModule === 0) {
        failed++
        failures.push({
          project,
          test: module.relativeModuleId,
          reason: firstLine(module.errors()[0]!.message),
        })
      }
      testsByProject[project] = (testsByProject[project] ?? 0) + inModule
    }
    writeFileSync(
      path,
      JSON.stringify({
        passed,
        failed,
        unhandledErrors: unhandledErrors.map(({ message }) => firstLine(message)),
        testsByProject,
        skipped,
        failures,
        repeated,
      }),
    )
  }
}
