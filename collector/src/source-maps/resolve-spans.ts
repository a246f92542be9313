import type { Store } from '../store.ts'
import type { StoredSpan } from '../stored-span.ts'
import { pathsOfStack, resolveStack } from './resolve-stack.ts'
import { type BuildMaps, buildMaps, type SourcePlace } from './source-maps.ts'

type Attributes = Record<string, string>

const buildIdName = 'hotspan.build.id'
const file = 'code.file.path'
const line = 'code.line.number'
const column = 'code.column.number'
const functionName = 'code.function.name'
const position = 'hotspan.long_frame.script.position'
const component = 'hotspan.react.component'
const cascadeRoot = 'hotspan.react.cascade_root'
const stacks = ['exception.stacktrace', 'hotspan.react.component_stack', 'code.stacktrace']

/**
 * Spans of browsers with names, files and lines of the source, where the maps of their build are stored: callers, scripts of
 * long frames, stacks and React components. The stored rows stay as they came.
 */
export async function resolveSpans(store: Store, spans: StoredSpan[]): Promise<StoredSpan[]> {
  const byBuild = new Map<string, StoredSpan[]>()
  for (const span of spans) {
    const id = span.resource[buildIdName]
    if (id === undefined) continue
    const known = byBuild.get(id)
    if (known === undefined) byBuild.set(id, [span])
    else known.push(span)
  }
  if (byBuild.size === 0) return spans
  const mapsById = new Map<string, BuildMaps>()
  for (const [id, ofBuild] of byBuild) {
    const maps = await buildMaps(store, id)
    if (maps === null) continue
    mapsById.set(id, maps)
    await maps.prepare(
      ofBuild.flatMap(({ attributes, events }) =>
        [attributes, ...events.map((event) => event.attributes)].flatMap(scriptsOf),
      ),
    )
  }
  return spans.map((span) => {
    const maps = mapsById.get(span.resource[buildIdName] ?? '')
    if (maps === undefined) return span
    return {
      ...span,
      attributes: resolveAttributes(span.attributes, maps),
      events: span.events.map((event) => ({
        ...event,
        attributes: resolveAttributes(event.attributes, maps),
      })),
    }
  })
}

/** Paths of the built files that the attributes speak of. */
export function scriptsOf(attributes: Attributes): string[] {
  const path = attributes[file]
  return [
    ...(path === undefined ? [] : [path]),
    ...stacks.flatMap((name) => pathsOfStack(attributes[name] ?? '')),
  ]
}

/** Attributes of a span, an event or a log record, resolved; the same object when there is nothing to resolve. */
export function resolveAttributes(attributes: Attributes, maps: BuildMaps): Attributes {
  let resolved = attributes
  const set = (changes: Record<string, string | undefined>) => {
    resolved = { ...resolved }
    for (const [name, value] of Object.entries(changes))
      if (value === undefined) delete resolved[name]
      else resolved[name] = value
  }
  const code = placeOf(attributes, maps)
  if (code !== undefined)
    set({
      // A name of the build says nothing beside a place in the source.
      [functionName]: code.name || undefined,
      [file]: code.file,
      [line]: String(code.line),
      [column]: String(code.column),
      [position]: undefined,
    })
  for (const name of stacks) {
    const stack = attributes[name]
    if (stack !== undefined) set({ [name]: resolveStack(stack, maps) })
  }
  const place = componentOf(attributes[component], maps)
  if (place !== undefined) set({ [component]: place.name, [file]: place.file, [line]: String(place.line) })
  const root = componentOf(attributes[cascadeRoot], maps)
  if (root !== undefined) set({ [cascadeRoot]: root.name })
  return resolved
}

const componentOf = (sent: string | undefined, maps: BuildMaps) =>
  sent === undefined ? undefined : maps.component(sent)

function placeOf(attributes: Attributes, maps: BuildMaps): SourcePlace | undefined {
  const path = attributes[file]
  if (path === undefined) return undefined
  const at = attributes[position]
  if (at !== undefined) return maps.placeAtOffset(path, Number(at))
  const lineNo = attributes[line]
  if (lineNo === undefined) return undefined
  return maps.place(path, Number(lineNo), Number(attributes[column] ?? 1))
}
