import type { ClickHouseClient } from '@clickhouse/client'
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import { runQuery } from '../queries/run-query.ts'
import type { Store } from '../store.ts'
import {
  type BuiltFunction,
  type FunctionIndex,
  namedFunctionAt,
  offsetOf,
  parseFunctionIndex,
  positionAt,
} from './function-index.ts'

/** Builds are few at a time: what runs now, and what visitors still have open. */
const maxBuilds = 8
const maxMaps = 32
/** A build without maps is asked for again after this long: they may be uploaded meanwhile. */
const missingMs = 3_000

export interface SourcePlace {
  /** '' when the function has none. */
  readonly name: string
  /** Path below the project. */
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly column: number
}

/** Source maps of one build. */
export interface BuildMaps {
  /** The files for which `place` can be asked; what they need is read once. */
  prepare(paths: Iterable<string>): Promise<void>
  /** Source of a position in a built file, line and column from 1. Undefined when the maps do not know it. */
  place(path: string, line: number, column: number): SourcePlace | undefined
  /** The same of a UTF-16 offset. */
  placeAtOffset(path: string, offset: number): SourcePlace | undefined
  /** The function that the SDK sent as `t~1xk3f9a`. Undefined when unknown or when several places fit. */
  component(sent: string): SourcePlace | undefined
}

interface Loaded {
  readonly maps: BuildMaps | null
  readonly atMs: number
}

class Builds {
  readonly #store: Store
  readonly #known = new Map<string, Promise<Loaded>>()

  constructor(store: Store) {
    this.#store = store
  }

  async get(id: string): Promise<BuildMaps | null> {
    const known = this.#known.get(id)
    if (known !== undefined) {
      const { maps, atMs } = await known
      if (maps !== null || Date.now() - atMs < missingMs) return maps
    }
    const loading = load(this.#store, id)
    this.#known.delete(id)
    this.#known.set(id, loading)
    // A failed question is no answer.
    loading.catch(() => this.#known.delete(id))
    const oldest = this.#known.keys().next().value
    if (this.#known.size > maxBuilds && oldest !== undefined) this.#known.delete(oldest)
    return (await loading).maps
  }
}

const byClient = new WeakMap<ClickHouseClient, Builds>()

/** Source maps of a build id; null when none are stored. Kept in memory for the next question. */
export function buildMaps(store: Store, buildId: string): Promise<BuildMaps | null> {
  const builds = byClient.get(store.client) ?? new Builds(store)
  byClient.set(store.client, builds)
  return builds.get(buildId)
}

/** After an upload through this client: what was missing is there. */
export function forgetBuilds(store: Store): void {
  byClient.delete(store.client)
}

async function load(store: Store, buildId: string): Promise<Loaded> {
  const rows = await runQuery<{ file: string; functions: string }>(
    store,
    `SELECT file, functions FROM hotspan_source_maps WHERE has(build_ids, {buildId:String})
ORDER BY uploaded_at DESC LIMIT 1 BY file`,
    { buildId },
  )
  const indexes = new Map<string, FunctionIndex>()
  for (const { file, functions } of rows) {
    const index = parseFunctionIndex(JSON.parse(functions))
    if (index !== null) indexes.set(file, index)
  }
  const maps = indexes.size === 0 ? null : mapsOf(store, buildId, indexes)
  return { maps, atMs: Date.now() }
}

function mapsOf(store: Store, buildId: string, indexes: ReadonlyMap<string, FunctionIndex>): BuildMaps {
  const positions = new Map<string, TraceMap>()
  const byKey = new Map<string, BuiltFunction[]>()
  for (const { functions } of indexes.values())
    for (const one of functions) {
      const known = byKey.get(one.key)
      if (known === undefined) byKey.set(one.key, [one])
      else known.push(one)
    }

  /** The file of the build that a URL's path ends with; of several the longest. */
  const files = [...indexes.keys()].sort((a, b) => b.length - a.length)
  const fileOf = (path: string) => {
    const plain = withoutEscapes(path)
    return files.find((file) => plain === file || plain.endsWith(`/${file}`))
  }

  const placeAt = (file: string, index: FunctionIndex, offset: number): SourcePlace | undefined => {
    const map = positions.get(file)
    if (map === undefined || offset < 0) return undefined
    const { source, line, column } = originalPositionFor(map, positionAt(index, offset))
    if (source === null) return undefined
    return { name: namedFunctionAt(index, offset)?.name ?? '', file: source, line, column: column + 1 }
  }

  return {
    async prepare(paths) {
      const wanted = new Set<string>()
      for (const path of paths) {
        const file = fileOf(path)
        if (file !== undefined && !positions.has(file)) wanted.add(file)
      }
      for (const file of wanted) {
        const [row] = await runQuery<{ map: string }>(
          store,
          `SELECT map FROM hotspan_source_maps WHERE has(build_ids, {buildId:String}) AND file = {file:String}
ORDER BY uploaded_at DESC LIMIT 1`,
          { buildId, file },
        )
        if (row === undefined) continue
        const oldest = positions.keys().next().value
        if (positions.size >= maxMaps && oldest !== undefined) positions.delete(oldest)
        positions.set(file, new TraceMap(JSON.parse(row.map)))
      }
    },
    place(path, line, column) {
      const file = fileOf(path)
      const index = file === undefined ? undefined : indexes.get(file)
      return index && placeAt(file!, index, offsetOf(index, line, column))
    },
    placeAtOffset(path, offset) {
      const file = fileOf(path)
      const index = file === undefined ? undefined : indexes.get(file)
      return index && placeAt(file!, index, offset)
    },
    component: (sent) => componentOf(sent, byKey),
  }
}

/** Browsers write `/app/items/%5Bid%5D/page.js` for what the build, Next.js for one, calls `app/items/[id]/page.js`. */
function withoutEscapes(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

const sentComponent = /^(.*)~([0-9a-z]{1,7})$/s

/** Undefined when no function has the key, and when several do that the name does not tell apart. */
export function componentOf(
  sent: string,
  byKey: ReadonlyMap<string, readonly BuiltFunction[]>,
): SourcePlace | undefined {
  const [, sentName = '', key = ''] = sentComponent.exec(sent) ?? []
  const all = distinctPlaces(byKey.get(key) ?? [])
  // Equal text in several places (`() => null`): the build's own name may tell them apart; else nothing is claimed.
  const fitting = all.length > 1 ? all.filter(({ builtName }) => builtName === sentName) : all
  const [found] = fitting
  if (found === undefined || fitting.length > 1) return undefined
  return { name: shownName(sentName, found), file: found.source, line: found.line, column: 1 }
}

function distinctPlaces(functions: readonly BuiltFunction[]): BuiltFunction[] {
  const places = new Map(functions.map((one) => [`${one.source}:${one.line}:${one.name}`, one]))
  return [...places.values()]
}

/** Names of three and fewer letters, and those that the build gave, are the minifier's; others are a displayName of somebody's choice. */
function shownName(sentName: string, found: BuiltFunction): string {
  const isChosen = sentName.length > 3 && ![found.builtName, 'Anonymous', 'default'].includes(sentName)
  if (isChosen) return sentName
  return found.name || (found.source.split('/').at(-1) ?? '').replace(/\.\w+$/, '') || sentName
}
