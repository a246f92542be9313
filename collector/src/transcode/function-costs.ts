import type { ProfileSample, ProfilesDictionary } from '@hotspan/otlp'
import { attributeText } from './attribute-text.ts'
import type { OwnedProfile } from './own-dictionary.ts'

/** What one function cost in one profile, in the unit of its samples, apart by where the samples say that they were taken. */
export interface FunctionCost {
  /** '' for frames without a name: `file` is then the binary. */
  readonly name: string
  readonly file: string
  readonly startLine: number
  readonly route: string
  readonly traceId: string
  readonly spanId: string
  /** Of samples whose innermost frame it is. */
  self: bigint
  /** Of samples whose stack it is on, once each however often it calls itself. */
  total: bigint
}

/** Frames that are looked at for one body: a short one may name a long stack in a million ways. */
export const maxFrames = 4_000_000
/** Rows of one profile; with more of them the spans are left out, then the functions. */
export const maxFunctionRows = 100_000

/** What profiles of one body may still use. */
export interface FrameBudget {
  framesLeft: number
}

/** `spans` or `functions`: what was left out because it would have passed a limit. */
export interface FunctionCosts {
  readonly costs: readonly FunctionCost[]
  readonly leftOut: 'spans' | 'functions' | null
}

/** Where a sample was taken: a span's ids only where no route is told, which is what they are for. */
interface Place {
  readonly route: string
  readonly traceId: string
  readonly spanId: string
}

/** Labels under which profilers send the route or the operation of a request: of OpenTelemetry, Pyroscope and Datadog. */
const routeKeys = ['http.route', 'endpoint', 'trace endpoint', 'span_name']
const traceKey = 'trace_id'
const spanKey = 'span_id'
const wanted = new Set([...routeKeys, traceKey, spanKey])

/** Names of functions, files, routes, services are cut to this many UTF-16 units: every row repeats them. */
const maxNameLength = 4096
export const shortened = (name: string): string => name.slice(0, maxNameLength)

class TooMany extends Error {}

/** Functions of a profile whose indices are all within their tables. */
export function functionCosts(owned: OwnedProfile, budget: FrameBudget): FunctionCosts {
  try {
    return { costs: costsOf(owned, budget, true), leftOut: null }
  } catch (error) {
    if (!(error instanceof TooMany)) throw error
  }
  try {
    return { costs: costsOf(owned, budget, false), leftOut: 'spans' }
  } catch (error) {
    if (!(error instanceof TooMany)) throw error
    return { costs: [], leftOut: 'functions' }
  }
}

/** Sum of a sample: without values every time stands for 1. */
export function sampleValue({ values, timestampsUnixNano }: ProfileSample): bigint {
  if (values.length === 0) return BigInt(timestampsUnixNano.length)
  let sum = 0n
  for (const value of values) sum += value
  return sum
}

function costsOf(owned: OwnedProfile, budget: FrameBudget, withSpans: boolean): FunctionCost[] {
  const placeOf = places(owned, withSpans)
  // Samples of one stack at one place are added up before their frames are walked.
  const sums = new Map<Place, Map<number, bigint>>()
  for (const sample of owned.profile.samples) {
    const place = placeOf(sample)
    let stacks = sums.get(place)
    if (stacks === undefined) {
      stacks = new Map()
      sums.set(place, stacks)
    }
    stacks.set(sample.stackIndex, (stacks.get(sample.stackIndex) ?? 0n) + sampleValue(sample))
  }
  const framesOf = stackFrames(owned.dictionary, budget)
  const costs: FunctionCost[] = []
  for (const [{ route, traceId, spanId }, stacks] of sums) {
    const here = new Map<Frame, FunctionCost>()
    for (const [stack, value] of stacks) {
      const { leaf, frames } = framesOf(stack)
      takeFrames(budget, frames.length)
      for (const frame of frames) {
        let cost = here.get(frame)
        if (cost === undefined) {
          if (costs.length >= maxFunctionRows) throw new TooMany()
          const { name, file, startLine } = frame
          cost = { name, file, startLine, route, traceId, spanId, self: 0n, total: 0n }
          here.set(frame, cost)
          costs.push(cost)
        }
        cost.total += value
        if (frame === leaf) cost.self += value
      }
    }
  }
  return costs
}

function takeFrames(budget: FrameBudget, frames: number): void {
  budget.framesLeft -= frames
  if (budget.framesLeft < 0) throw new TooMany()
}

/** An attribute of samples that says where they were taken; `number` stands for the text. */
interface Label {
  readonly key: string
  readonly text: string
  readonly number: number
}
const noLabel: Label = { key: '', text: '', number: 0 }

function places({ profile, dictionary }: OwnedProfile, withSpans: boolean): (sample: ProfileSample) => Place {
  const { attributeTable, stringTable, linkTable } = dictionary
  // Each attribute is looked at once: it may be long, and named by every sample.
  const numbers = new Map<string, number>([['', 0]])
  const labels = attributeTable.map(({ keyStrindex, value }): Label | null => {
    const key = stringTable[keyStrindex]!
    if (!wanted.has(key)) return null
    const text = shortened(attributeText(value))
    let number = numbers.get(text)
    if (number === undefined) {
      number = numbers.size
      numbers.set(text, number)
    }
    return { key, text, number }
  })
  const labelOf = (indices: readonly number[], key: string): Label => {
    for (const index of indices) {
      const label = labels[index]!
      if (label?.key === key) return label
    }
    return noLabel
  }
  const routeOf = (indices: readonly number[]): Label => {
    for (const key of routeKeys) {
      const label = labelOf(indices, key)
      if (label.text !== '') return label
    }
    return noLabel
  }
  const ofProfile = routeOf(profile.attributeIndices)
  const known = new Map<string, Place>()
  return ({ attributeIndices, linkIndex }) => {
    const own = routeOf(attributeIndices)
    const route = own.text === '' ? ofProfile : own
    let traceId = ''
    let spanId = ''
    if (withSpans && route.text === '') {
      const link = linkTable[linkIndex]!
      traceId = id(link.traceId, 32) || id(labelOf(attributeIndices, traceKey).text, 32)
      if (traceId !== '') spanId = id(link.spanId, 16) || id(labelOf(attributeIndices, spanKey).text, 16)
    }
    const key = `${route.number} ${traceId} ${spanId}`
    let place = known.get(key)
    if (place === undefined) {
      place = { route: route.text, traceId, spanId }
      known.set(key, place)
    }
    return place
  }
}

/** Hex of this length that is not all zeros, in lower case; '' for anything else. */
function id(text: string, digits: number): string {
  return text.length === digits && /^[0-9a-f]+$/i.test(text) && /[^0]/.test(text) ? text.toLowerCase() : ''
}

/** A function, told apart by name, file and line. */
interface Frame {
  readonly name: string
  readonly file: string
  readonly startLine: number
}

interface StackFrames {
  readonly leaf: Frame | null
  /** Each function once. */
  readonly frames: readonly Frame[]
}

function stackFrames(dictionary: ProfilesDictionary, budget: FrameBudget): (stack: number) => StackFrames {
  const { stackTable, locationTable, functionTable, mappingTable } = dictionary
  const texts = uniqueTexts(dictionary)
  const known = new Map<string, Frame>()
  const frame = (nameAt: number, fileAt: number, line: bigint): Frame => {
    const startLine = line > 0n && line <= 0xffffffffn ? Number(line) : 0
    const [name, file] = [texts[nameAt]!, texts[fileAt]!]
    const key = `${name.number} ${file.number} ${startLine}`
    const before = known.get(key)
    if (before !== undefined) return before
    const made = { name: name.text, file: file.text, startLine }
    known.set(key, made)
    return made
  }
  const ofFunction = functionTable.map(
    ({ nameStrindex, systemNameStrindex, filenameStrindex, startLine }) => {
      const named = texts[nameStrindex]!.text === '' ? systemNameStrindex : nameStrindex
      return frame(named, filenameStrindex, startLine)
    },
  )
  const ofLocation = locationTable.map(({ lines, mappingIndex }): Frame[] =>
    lines.length > 0
      ? lines.map(({ functionIndex }) => ofFunction[functionIndex]!)
      : [frame(0, mappingTable[mappingIndex]!.filenameStrindex, 0n)],
  )
  const stacks: StackFrames[] = []
  return (stack) => {
    const before = stacks[stack]
    if (before !== undefined) return before
    const frames = new Set<Frame>()
    const { locationIndices } = stackTable[stack]!
    for (const location of locationIndices) {
      takeFrames(budget, ofLocation[location]!.length)
      for (const one of ofLocation[location]!) frames.add(one)
    }
    const made = { leaf: ofLocation[locationIndices[0] ?? 0]?.[0] ?? null, frames: [...frames] }
    stacks[stack] = made
    return made
  }
}

/** Texts of a dictionary with a number each: a sender may have a text twice. */
function uniqueTexts({
  stringTable,
}: ProfilesDictionary): { readonly text: string; readonly number: number }[] {
  const numbers = new Map<string, number>()
  return stringTable.map((whole) => {
    const text = shortened(whole)
    let number = numbers.get(text)
    if (number === undefined) {
      number = numbers.size
      numbers.set(text, number)
    }
    return { text, number }
  })
}
