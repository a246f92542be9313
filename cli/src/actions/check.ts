import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Bounds, judgeBudgets } from '@hotspan/analyzers'
import { listRunFolders, type Run, readRunRecord, runFolder } from '@hotspan/loadtests'
import { type BudgetText, parseBudget } from '../config/parse-budget.ts'
import { badValue, missingSetUp } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'
import { writeData } from '../process/output.ts'
import { shownPath } from '../process/shown-path.ts'
import { type StoreFlags, type StorePlace, storePlace } from '../process/store-options.ts'
import type { SetExit } from '../program.ts'
import { renderJson } from '../render/json.ts'
import { columnsOf, wantsColor } from '../render/terminal.ts'
import { type CheckDocument, renderVerdictMarkdown, renderVerdictText } from '../render/verdict.ts'

export interface CheckFlags extends StoreFlags {
  readonly budget: BudgetText[]
  readonly run: string[]
  readonly format: 'text' | 'json' | 'markdown'
  readonly output?: string
}

/** The named runs, by id or folder; else the latest one of each kind. */
const chooseRuns = async (place: StorePlace, named: readonly string[]): Promise<Run[]> => {
  if (named.length > 0) {
    return await Promise.all(
      named.map(async (name) => {
        const inside = /^run-[A-Za-z0-9._-]+$/.test(name) ? runFolder(place.dataDir, name) : undefined
        if (inside !== undefined && existsSync(inside)) return await readRunRecord(inside)
        if (existsSync(join(name, 'run.json'))) return await readRunRecord(name)
        throw badValue(
          '--run',
          name,
          `the id of a run in ${shownPath(join(place.dataDir, 'runs'))}, or a run's folder`,
        )
      }),
    )
  }
  const latest = new Map<string, Run>()
  for (const folder of (await listRunFolders(place.dataDir)).reverse()) {
    const run = await readRunRecord(folder)
    if (!latest.has(run.kind)) latest.set(run.kind, run)
    if (latest.size === 2) break
  }
  if (latest.size > 0) return [...latest.values()]
  throw missingSetUp(
    `no run is recorded in ${shownPath(join(place.dataDir, 'runs'))}`,
    'Record one first: hotspan load URL, or hotspan lighthouse URL',
  )
}

const chooseBudgets = (flags: readonly BudgetText[], place: StorePlace): readonly BudgetText[] => {
  const budgets =
    flags.length > 0 ? flags : (place.config.config.budgets ?? []).map((text) => parseBudget(text)!)
  if (budgets.length > 0) return budgets
  throw missingSetUp(
    'there is no budget to hold the run against',
    "Name one: --budget 'p95<=250ms', or budgets: ['p95<=250ms'] in hotspan.config.ts",
  )
}

const boundsOf = (budget: BudgetText): Bounds =>
  budget.direction === 'at-most' ? { max: budget.limit } : { min: budget.limit }

const judge = (runs: readonly Run[], budgets: readonly BudgetText[]): CheckDocument => {
  // One by one: two budgets on one figure are two promises, each with a verdict of its own.
  const judged = budgets.map((budget) => {
    const [line] = judgeBudgets(runs, { [budget.metric]: boundsOf(budget) }).lines
    const { value, unit = '', n = 0, reason = '', verdict = 'inconclusive', runIds = [] } = line ?? {}
    if (unit !== '' && budget.unit !== '1' && budget.unit !== unit) {
      throw badValue('the budget', budget.text, `a limit in ${unit}, the unit of ${budget.metric}`)
    }
    return { budget, verdict, ...(value === undefined ? {} : { value }), unit, n, reason, runIds }
  })
  const has = (verdict: CheckDocument['verdict']): boolean => judged.some((one) => one.verdict === verdict)
  return {
    schemaVersion: 1,
    verdict: has('fail') ? 'fail' : has('inconclusive') ? 'inconclusive' : 'pass',
    budgets: judged,
    runs: runs.map(({ id, kind, scenario, url, commit }) => ({ id, kind, scenario, url, commit })),
  }
}

export const runCheck = async (flags: CheckFlags, setExit: SetExit): Promise<void> => {
  const place = await storePlace(flags)
  const budgets = chooseBudgets(flags.budget, place)
  const document = judge(await chooseRuns(place, flags.run), budgets)
  setExit(exitCode[document.verdict])
  if (flags.format === 'json') return await writeData(renderJson(document), flags.output)
  if (flags.format === 'markdown') return await writeData(renderVerdictMarkdown(document), flags.output)
  const color = flags.output === undefined && wantsColor(process.stdout, process.env)
  await writeData(renderVerdictText(document, { color, width: columnsOf(process.stdout) }), flags.output)
}
