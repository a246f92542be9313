import { basename } from 'node:path'
import { performance } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'
import { attr, hotspanAttribute } from '@hotspan/otlp'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { active } from '../core/runtime.ts'
import { type AgentSpan, Kind, Status } from '../core/span.ts'
import { beginSpan, runIn, spanOf } from '../core/tracer.ts'
import { encodeKey } from '../encode/attribute-key.ts'
import type { SpanEncoder } from '../encode/span-encoder.ts'
import { fault, faultCount } from '../faults.ts'
import { type CallSite, captureCallSite } from './call-site.ts'
import { errorTypeOf } from './error-type.ts'

const NAME = 'onnxruntime-node'

const key = {
  model: encodeKey(hotspanAttribute.inferenceModel.name),
  phase: encodeKey(hotspanAttribute.inferencePhase.name),
  batch: encodeKey(hotspanAttribute.inferenceBatchSize.name),
  shapes: encodeKey(hotspanAttribute.inferenceInputShapes.name),
  thread: encodeKey(hotspanAttribute.inferenceThread.name),
  errorType: encodeKey(attr.errorType),
}

type AsyncMethod = (this: unknown, ...args: unknown[]) => Promise<unknown>

interface SessionClass {
  create: AsyncMethod
  prototype: { run: AsyncMethod }
}

interface Tensor {
  dims?: readonly number[]
}

const count = faultCount(NAME)
const patched = new WeakSet<object>()
let callSites = false
const models = new WeakMap<object, string>()

export const configureOnnxruntime = (options: { callSites: boolean }): void => {
  callSites = options.callSites
}

/**
 * `inference.load` and `inference.forward` spans. Both are active while they run: onnxruntime-node computes on the calling
 * thread, in a `setImmediate` of its own, so a stall then belongs to this span's request.
 */
export function instrumentOnnxruntime(exports: unknown): void {
  const { InferenceSession } = exports as { InferenceSession?: SessionClass }
  if (typeof InferenceSession?.create !== 'function' || patched.has(InferenceSession)) return
  patched.add(InferenceSession)
  const { create } = InferenceSession
  const { run } = InferenceSession.prototype

  InferenceSession.create = named(create, function (this: unknown, ...args: unknown[]) {
    const model = modelOf(args[0])
    return traced('load', model, undefined, async () => {
      const session = await create.apply(this, args)
      models.set(session as object, model)
      return session
    })
  })
  InferenceSession.prototype.run = named(run, function (this: unknown, ...args: unknown[]) {
    const model = models.get(this as object) ?? 'model'
    return traced('forward', model, args[0], () => run.apply(this, args))
  })
}

function named(original: AsyncMethod, replacement: AsyncMethod): AsyncMethod {
  Object.defineProperty(replacement, 'name', { value: original.name, configurable: true })
  Object.defineProperty(replacement, 'length', { value: original.length, configurable: true })
  return replacement
}

const modelOf = (source: unknown): string => (typeof source === 'string' ? basename(source) : 'buffer')

function traced(
  phase: 'load' | 'forward',
  model: string,
  feeds: unknown,
  call: () => Promise<unknown>,
): Promise<unknown> {
  const span = count.off ? null : begin(phase, model, feeds)
  if (span === null) return call()
  return runIn(span, call, undefined).then(
    (value) => {
      finish(span, undefined)
      return value
    },
    (error) => {
      finish(span, error)
      throw error
    },
  )
}

function begin(phase: string, model: string, feeds: unknown): AgentSpan | null {
  try {
    const startMs = performance.now()
    const context = active.getStore()
    const parent = spanOf(context, startMs)
    if (parent === null) return null
    const name = `inference.${phase} ${model}`
    const span = beginSpan(parent, context ?? EMPTY_CONTEXT, 0, Kind.Internal, name, startMs)
    if (!span.recording) return null
    span.text1 = phase
    span.text2 = model
    span.ref1 = { shapes: shapesOf(feeds), site: callSites ? captureCallSite() : undefined } satisfies Facts
    span.late = writeInferenceSpan
    return span
  } catch (error) {
    fault(NAME, error)
    return null
  }
}

interface Facts {
  readonly shapes: Shapes | null
  readonly site: CallSite | undefined
}

interface Shapes {
  readonly batch: number
  readonly text: string
}

function shapesOf(feeds: unknown): Shapes | null {
  if (typeof feeds !== 'object' || feeds === null) return null
  let batch = 0
  let text = ''
  for (const [name, tensor] of Object.entries(feeds as Record<string, Tensor>)) {
    const dims = tensor?.dims
    if (!Array.isArray(dims)) continue
    if (text === '') batch = Number(dims[0] ?? 1)
    text += `${text === '' ? '' : ', '}${name}:[${dims.join(',')}]`
  }
  return text === '' ? null : { batch, text }
}

function finish(span: AgentSpan, error: unknown): void {
  try {
    if (error !== undefined) {
      span.statusCode = Status.Error
      span.statusMessage = error instanceof Error ? error.message : ''
      span.ref2 = errorTypeOf(error)
    }
    const nowMs = performance.now()
    span.endAt(nowMs, nowMs)
  } catch (ours) {
    fault(NAME, ours)
  }
}

function writeInferenceSpan(encoder: SpanEncoder, span: AgentSpan): void {
  encoder.text(key.model, span.text2)
  encoder.text(key.phase, span.text1)
  const { shapes, site } = span.ref1 as Facts
  if (shapes !== null) {
    encoder.int(key.batch, shapes.batch)
    encoder.text(key.shapes, shapes.text)
  }
  if (site !== undefined) encoder.raw(site.encoded)
  encoder.text(key.thread, isMainThread ? 'main' : 'worker')
  if (typeof span.ref2 === 'string') encoder.text(key.errorType, span.ref2)
}
