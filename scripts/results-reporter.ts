import { writeFileSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

interface Skipped {
  project: string
  test: string
  reason: string
}

/** Writes what scripts/test.mjs needs to judge the run: counts by workspace, and every skip with its reason. */
export default class ResultsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const path = process.env.HOTSPAN_RESULTS
    if (!path) return
    let passed = 0
    let failed = 0
    const testsByProject: Record<string, number> = {}
    const skipped: Skipped[] = []
    for (const module of modules) {
      const project = module.project.name
      let inModule = 0
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (result.state === 'passed') passed++
        else if (result.state === 'failed') failed++
        else skipped.push({ project, test: test.fullName, reason: ('note' in result && result.note) || '' })
        if (result.state === 'passed' || result.state === 'failed') inModule++
      }
      // A file that could not be collected has no tests, but errors of its own.
      if (module.errors().length > 0 && module.state() === 'failed' && inModule === 0) failed++
      testsByProject[project] = (testsByProject[project] ?? 0) + inModule
    }
    writeFileSync(
      path,
      JSON.stringify({ passed, failed, unhandledErrors: unhandledErrors.length, testsByProject, skipped }),
    )
  }
}
