import { setSpanListener } from './core/tracer.ts'

type TimeStamp = (
  label: string,
  startMs: number,
  endMs: number,
  track: string,
  group: string,
  color: string,
) => void

const TRACKS: readonly (readonly [RegExp, string, string])[] = [
  [/^react/, 'React', 'tertiary'],
  [/^(interaction|action|route)/, 'Interactions', 'secondary'],
  [/^(document|resource|dom)/, 'Page load', 'primary-light'],
  [/^long/, 'Long frames', 'error'],
  [/./, 'Requests', 'primary'],
]

/**
 * Our spans as tracks of their own in the Performance panel of the Chrome DevTools: `init(options, [devtoolsTracks])`. Through
 * `console.timeStamp`, which leaves no entries behind and costs next to nothing while nobody records. Sampled sessions only.
 */
export const devtoolsTracks = (): void => {
  const { timeStamp } = console as unknown as { timeStamp?: TimeStamp }
  if (!timeStamp) return
  setSpanListener(({ name, startMs, attributes }, endMs) => {
    const [, track, color] = TRACKS.find(([pattern]) => pattern.test(name))!
    const label = `${name} ${attributes['url.full'] ?? attributes['hotspan.interaction.target'] ?? ''}`
    timeStamp.call(console, label.trim(), startMs, endMs, track, 'Hotspan', color)
  })
}
