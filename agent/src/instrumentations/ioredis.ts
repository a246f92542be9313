import type { Socket } from 'node:net'
import type { Context } from '@opentelemetry/api'
import { active } from '../core/runtime.ts'
import type { AgentSpan } from '../core/span.ts'
import { fault, faultCount } from '../faults.ts'
import { type CallSite, withCallSite } from './call-site.ts'
import { callSiteNow, type DatabaseTarget } from './database-span.ts'
import {
  beginCommand,
  beginConnect,
  finishCommand,
  finishConnect,
  redisTarget,
  sendTo,
} from './redis-command.ts'
import { isThenable, type WrappableClass, wrapMethod } from './wrap-method.ts'

const NAME = 'ioredis'
const TRACED = Symbol('hotspan.traced')
const CALLER = Symbol('hotspan.caller')

interface Command {
  name: string
  args: unknown[]
  inTransaction?: boolean
  pipelineIndex?: number
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
  /** Its span, once it has one. */
  [TRACED]?: AgentSpan
  /** Who asked for it, where commands of many callers are collected. */
  [CALLER]?: Caller
}

interface Caller {
  readonly context: Context | undefined
  readonly site: CallSite | undefined
}

interface Pipeline {
  _queue?: Command[]
  options?: { enableAutoPipelining?: boolean }
}

interface Client {
  options?: { host?: string; port?: number; path?: string; db?: number; sentinels?: unknown[] | null }
  condition?: { select?: number } | null
  stream?: Socket | null
}

const count = faultCount(NAME)

/** Commands of the pipeline whose `exec` runs now. */
let pipelineSize = 0
/** It collected them from many callers, by `enableAutoPipelining`. */
let isAutoPipeline = false

/** One span per command, pipelined or not, under a span that is active; names as in the stock package. */
export function instrumentIoredis(exports: unknown): void {
  const door = exports as Partial<Record<'Redis' | 'default' | 'Cluster' | 'Pipeline', WrappableClass>>
  const Redis = door.Redis ?? door.default ?? (exports as WrappableClass)
  if (Redis?.prototype === undefined) return
  wrapSendCommand(Redis.prototype)
  wrapConnect(Redis.prototype)
  // Here a command has its caller and no redirections yet.
  if (door.Cluster?.prototype !== undefined) wrapSendCommand(door.Cluster.prototype)
  if (door.Pipeline?.prototype !== undefined) {
    wrapCollect(door.Pipeline.prototype)
    wrapExec(door.Pipeline.prototype)
  }
}

function wrapSendCommand(prototype: object): void {
  wrapMethod(prototype, 'sendCommand', (original) => {
    return function sendCommand(this: unknown, ...args: unknown[]): unknown {
      const command = args[0] as Command | undefined
      if (count.off || typeof command !== 'object' || command === null) return original.apply(this, args)
      try {
        // It passes here again when it leaves the offline queue, is sent once more, or to a node of the cluster.
        const known = command[TRACED]
        if (known !== undefined) sendTo(known, targetOf(this as Client))
        else {
          const caller = isAutoPipeline ? command[CALLER] : undefined
          const span =
            caller === undefined ? begin(this as Client, command) : beginFor(caller, this as Client, command)
          if (span !== null) hookEnd(span, command)
        }
      } catch (error) {
        fault(NAME, error)
      }
      return original.apply(this, args)
    }
  })
}

function beginFor({ context, site }: Caller, client: Client, command: Command): AgentSpan | null {
  const start = (): AgentSpan | null => withCallSite(site, () => begin(client, command))
  return context === undefined ? active.exit(start) : active.run(context, start)
}

function begin(client: Client, command: Command): AgentSpan | null {
  const { name, args } = command
  const isControl = name === 'multi' || name === 'exec'
  const inBatch = !isControl && (command.inTransaction === true || typeof command.pipelineIndex === 'number')
  return beginCommand(name, true, {
    target: targetOf(client),
    name,
    args,
    firstArg: 0,
    operation: inBatch ? `${command.inTransaction === true ? 'MULTI' : 'PIPELINE'} ${name}` : name,
    batchSize: inBatch ? pipelineSize : 0,
    code: '',
    site: undefined,
  })
}

function hookEnd(span: AgentSpan, command: Command): void {
  command[TRACED] = span
  const { resolve, reject } = command
  command.resolve = (value) => {
    finishCommand(NAME, span, undefined)
    resolve(value)
  }
  command.reject = (error) => {
    finishCommand(NAME, span, error ?? new Error('rejected'))
    reject(error)
  }
}

function targetOf(client: Client): DatabaseTarget {
  const options = client.options ?? {}
  const database = client.condition?.select ?? options.db ?? 0
  // Which server the sentinels have named is known by the connection only.
  const { stream } = client
  if (options.sentinels?.length && stream?.remotePort !== undefined)
    return redisTarget(stream, database, stream.remoteAddress, stream.remotePort)
  return redisTarget(options, database, options.path ?? options.host, options.port)
}

/** With automatic pipelining a command waits for others, and leaves in the context of the first. */
function wrapCollect(prototype: object): void {
  wrapMethod(prototype, 'sendCommand', (original) => {
    return function sendCommand(this: unknown, ...args: unknown[]): unknown {
      if (!count.off && (this as Pipeline).options?.enableAutoPipelining === true) {
        const command = args[0] as Command | undefined
        if (command) command[CALLER] = { context: active.getStore(), site: callSiteNow() }
      }
      return original.apply(this, args)
    }
  })
}

/** The app's own pipelines have no such mark. */
const isAutomatic = (pipeline: Pipeline): boolean =>
  pipeline.options?.enableAutoPipelining === true &&
  Object.getOwnPropertySymbols(pipeline).some(({ description }) => description === 'exec')

function wrapExec(prototype: object): void {
  wrapMethod(prototype, 'exec', (original) => {
    return function exec(this: unknown, ...args: unknown[]): unknown {
      const queue = (this as Pipeline)._queue
      const before = pipelineSize
      const wasAuto = isAutoPipeline
      isAutoPipeline = isAutomatic(this as Pipeline)
      pipelineSize = 0
      if (Array.isArray(queue)) {
        for (const { name } of queue) if (name !== 'multi' && name !== 'exec') pipelineSize++
      }
      try {
        return original.apply(this, args)
      } finally {
        pipelineSize = before
        isAutoPipeline = wasAuto
      }
    }
  })
}

function wrapConnect(prototype: object): void {
  wrapMethod(prototype, 'connect', (original) => {
    return function connect(this: unknown, ...args: unknown[]): unknown {
      if (count.off) return original.apply(this, args)
      let span: AgentSpan | null = null
      try {
        span = beginConnect('connect', 'connect', targetOf(this as Client), true)
      } catch (error) {
        fault(NAME, error)
      }
      const result = original.apply(this, args)
      if (span === null || !isThenable(result)) return result
      const whole = span
      return result.then(
        (value) => {
          finishConnect(NAME, whole, undefined)
          return value
        },
        (error) => {
          finishConnect(NAME, whole, error ?? new Error('not connected'))
          throw error
        },
      )
    }
  })
}
