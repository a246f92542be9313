import type { ClickHouseClient } from '@clickhouse/client'
import { answers, type Engine } from '../engine/engine.ts'
import { CollectorError } from '../errors.ts'
import { databaseOf, migrate } from '../schema/migrations.ts'
import type { EngineBehind } from './clickhouse-door.ts'

const comeBackMs = 60_000
/** A project that a start did not teach is not worth another one so soon. */
const learnAgainMs = 10 * 60_000

/** The collector's engine as the ClickHouse door needs it. */
export function engineBehind(engine: Engine, client: ClickHouseClient): EngineBehind {
  const learning = new Map<string, Promise<void>>()
  const learnedMs = new Map<string, number>()
  const learn = async (project: string): Promise<void> => {
    await migrate(client, databaseOf(project))
    const before = engine.pid
    engine.restart()
    const until = Date.now() + comeBackMs
    while (engine.pid === before || engine.pid === null || !(await answers(engine.socketPath, 5000))) {
      if (Date.now() > until) {
        throw new CollectorError('HS_ENGINE_AWAY', 'the engine has not come back yet; ask again')
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  return {
    socketPath: engine.socketPath,
    get version() {
      return engine.version
    },
    learnProject(project) {
      let underway = learning.get(project)
      if (underway === undefined) {
        if (Date.now() - (learnedMs.get(project) ?? -Infinity) < learnAgainMs) return Promise.resolve()
        learnedMs.set(project, Date.now())
        underway = learn(project).finally(() => learning.delete(project))
        learning.set(project, underway)
      }
      return underway
    },
  }
}
