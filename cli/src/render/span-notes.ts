import type { StoredSpan } from '@hotspan/collector'
import { attr } from '@hotspan/otlp'
import { formatMs } from './numbers.ts'

type Attributes = Readonly<Record<string, string>>

/** What events of a browser's span say, a line each: the components of React commits, the scripts of a long frame. */
export const notesOf = (events: StoredSpan['events']): string[] =>
  events.flatMap(({ name, attributes }) =>
    name === 'hotspan.react.component'
      ? [componentNote(attributes)]
      : name === 'script'
        ? [scriptNote(attributes)]
        : [],
  )

const placeOf = (attributes: Attributes): string => {
  const file = attributes[attr.codeFilePath] ?? ''
  const line = attributes[attr.codeLineNumber]
  return file === '' ? '' : ` (${file}${line === undefined ? '' : `:${line}`})`
}

const componentNote = (attributes: Attributes): string => {
  const value = (name: string): string => attributes[`hotspan.react.${name}`] ?? ''
  const wasted = Number(value('wasted'))
  const compared = Number(value('compared') || value('renders'))
  const root = value('cascade_root')
  const parts = [
    `${value('renders')} ${value('renders') === '1' ? 'render' : 'renders'}`,
    ...(wasted > 0 ? [`${wasted} of ${compared} changed nothing`] : []),
    ...(value('reasons') === '' ? [] : [value('reasons')]),
    ...(root === '' || root === value('component') ? [] : [`with ${root}`]),
    ...(value('self_time') === '' ? [] : [formatMs(Number(value('self_time')))]),
  ]
  return `${value('component')}${placeOf(attributes)}: ${parts.join(', ')}`
}

const scriptNote = (attributes: Attributes): string => {
  const value = (name: string): string => attributes[`hotspan.long_frame.script.${name}`] ?? ''
  const name = attributes[attr.codeFunctionName] ?? ''
  const layoutMs = Number(value('forced_layout'))
  const parts = [
    ...(value('duration') === '' ? [] : [formatMs(Number(value('duration')))]),
    ...(layoutMs > 0 ? [`${formatMs(layoutMs)} of it forced layout`] : []),
    ...(value('invoker') === '' || value('invoker') === name ? [] : [`invoked by ${value('invoker')}`]),
  ]
  return `${name === '' ? 'script' : name}${placeOf(attributes)}: ${parts.join(', ')}`
}
