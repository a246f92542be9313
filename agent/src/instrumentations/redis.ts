import type { AgentSpan } from '../core/span.ts'
import { fault, faultCount } from '../faults.ts'
import type { DatabaseTarget } from './database-span.ts'
import { loadedFiles } from './loaded-files.ts'
import {
  beginCommand,
  beginConnect,
  finishCommand,
  finishConnect,
  joinBatch,
  redisTarget,
} from './redis-command.ts'
import { isThenable, type WrappableClass, wrapMethod } from './wrap-method.ts'

const NAME = 'redis'
const OPEN_SPANS = Symbol('hotspan.open-spans')
const CLIENT_OPTIONS = Symbol('hotspan.client-options')

interface ClientOptions {
  socket?: { host?: string; port?: number; path?: string }
  database?: number
}

interface OpenCommand {
  readonly span: AgentSpan | null
  readonly name: string
}

interface Multi {
  [OPEN_SPANS]?: OpenCommand[]
  [CLIENT_OPTIONS]?: ClientOptions
}

const count = faultCount(NAME)

/** node-redis 5 and newer: its classes are not in the exports, but loaded with them. */
export function instrumentRedis(exports: unknown): void {
  const clients = loadedFiles('@redis/client', 'dist/lib/client/index.js').map(classOf)
  const multis = loadedFiles('@redis/client', 'dist/lib/client/multi-command.js').map(classOf)
  if (clients.length === 0) wrapByExample(exports as { createClient?: () => object })
  for (const prototype of clients) if (prototype !== undefined) wrapClient(prototype)
  for (const prototype of multis) if (prototype !== undefined) wrapMultiCommand(prototype)
}

const classOf = (file: unknown): object | undefined =>
  (file as { default?: WrappableClass } | undefined)?.default?.prototype

function wrapClient(prototype: object): void {
  wrapSendCommand(prototype)
  wrapConnect(prototype)
  wrapMulti(prototype)
}

function wrapMultiCommand(prototype: object): void {
  wrapAddCommand(prototype)
  wrapExec(prototype, 'exec', 'MULTI')
  wrapExec(prototype, 'execAsPipeline', 'PIPELINE')
}

/** Inside a bundle there are no files: a client that never connects shows its classes. */
function wrapByExample({ createClient }: { createClient?: () => object }): void {
  if (typeof createClient !== 'function') return
  const client = createClient() as { MULTI?: () => object }
  const prototype = ownerOf(client, 'sendCommand')
  const multi = typeof client.MULTI === 'function' ? ownerOf(client.MULTI(), 'addCommand') : undefined
  if (prototype !== undefined) wrapClient(prototype)
  if (multi !== undefined) wrapMultiCommand(multi)
}

/** The prototype that has the method. */
function ownerOf(instance: object, method: string): object | undefined {
  let prototype = Object.getPrototypeOf(instance) as object | null
  while (prototype !== null && !Object.hasOwn(prototype, method)) {
    prototype = Object.getPrototypeOf(prototype) as object | null
  }
  return prototype ?? undefined
}

const NO_OPTIONS: ClientOptions = {}

function targetOf(options: ClientOptions = NO_OPTIONS): DatabaseTarget {
  const { socket, database } = options
  return redisTarget(
    options,
    database ?? 0,
    socket?.path ?? socket?.host ?? 'localhost',
    socket?.port ?? 6379,
  )
}

function begin(options: ClientOptions | undefined, args: unknown): AgentSpan | null {
  if (!Array.isArray(args) || args.length === 0) return null
  const name = String(args[0])
  return beginCommand(`redis-${name}`, false, {
    target: targetOf(options),
    name,
    args,
    firstArg: 1,
    operation: name,
    batchSize: 0,
    code: '',
    site: undefined,
  })
}

function wrapSendCommand(prototype: object): void {
  wrapMethod(prototype, 'sendCommand', (original) => {
    return function sendCommand(this: unknown, ...args: unknown[]): unknown {
      if (count.off) return original.apply(this, args)
      let span: AgentSpan | null = null
      try {
        span = begin((this as { options?: ClientOptions }).options, args[0])
      } catch (error) {
        fault(NAME, error)
      }
      const result = original.apply(this, args)
      return span === null
        ? result
        : whenSettled(result, span, (error, whole) => finishCommand(NAME, whole, error))
    }
  })
}

function whenSettled(
  result: unknown,
  span: AgentSpan,
  finish: (error: unknown, span: AgentSpan) => void,
): unknown {
  if (!isThenable(result)) {
    finish(undefined, span)
    return result
  }
  return result.then(
    (value) => {
      finish(undefined, span)
      return value
    },
    (error) => {
      finish(error ?? new Error('rejected'), span)
      throw error
    },
  )
}

function wrapConnect(prototype: object): void {
  wrapMethod(prototype, 'connect', (original) => {
    return function connect(this: unknown, ...args: unknown[]): unknown {
      if (count.off) return original.apply(this, args)
      let span: AgentSpan | null = null
      try {
        span = beginConnect(
          'redis-connect',
          '',
          targetOf((this as { options?: ClientOptions }).options),
          false,
        )
      } catch (error) {
        fault(NAME, error)
      }
      const result = original.apply(this, args)
      return span === null
        ? result
        : whenSettled(result, span, (error, whole) => finishConnect(NAME, whole, error))
    }
  })
}

/** A transaction does not know its client: its options are noted when it is made. */
function wrapMulti(prototype: object): void {
  wrapMethod(prototype, 'MULTI', (original) => {
    return function MULTI(this: unknown, ...args: unknown[]): unknown {
      const multi = original.apply(this, args)
      const options = (this as { options?: ClientOptions }).options
      if (typeof multi === 'object' && multi !== null && options !== undefined) {
        ;(multi as Multi)[CLIENT_OPTIONS] = options
      }
      return multi
    }
  })
}

function wrapAddCommand(prototype: object): void {
  wrapMethod(prototype, 'addCommand', (original) => {
    return function addCommand(this: unknown, ...args: unknown[]): unknown {
      if (!count.off) {
        try {
          const multi = this as Multi
          const span = begin(multi[CLIENT_OPTIONS], args[0])
          multi[OPEN_SPANS] ??= []
          multi[OPEN_SPANS].push({ span, name: String((args[0] as unknown[] | undefined)?.[0]) })
        } catch (error) {
          fault(NAME, error)
        }
      }
      return original.apply(this, args)
    }
  })
}

function wrapExec(prototype: object, method: string, batch: 'MULTI' | 'PIPELINE'): void {
  wrapMethod(prototype, method, (original) => {
    return function exec(this: unknown, ...args: unknown[]): unknown {
      // `exec(true)` comes by again as `execAsPipeline`.
      const open = args[0] === true ? undefined : (this as Multi)[OPEN_SPANS]
      const result = original.apply(this, args)
      if (open === undefined || !isThenable(result)) return result
      ;(this as Multi)[OPEN_SPANS] = undefined
      return result.then(
        (replies) => {
          endBatch(open, batch, replies)
          return replies
        },
        (error) => {
          endBatch(open, batch, (error as { replies?: unknown })?.replies ?? error)
          throw error
        },
      )
    }
  })
}

/** `outcome` is a reply per command, or what failed them all. */
function endBatch(open: readonly OpenCommand[], batch: string, outcome: unknown): void {
  try {
    const same = open.every(({ name }) => name === open[0]!.name)
    const operation = same ? `${batch} ${open[0]?.name}` : batch
    open.forEach(({ span }, index) => {
      if (span === null) return
      joinBatch(span, operation, open.length)
      const reply = Array.isArray(outcome) ? outcome[index] : outcome
      finishCommand(NAME, span, reply instanceof Error ? reply : undefined)
    })
  } catch (error) {
    fault(NAME, error)
  }
}
