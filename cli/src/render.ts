/** Door `hotspan/render`: pure functions from a report to text. */

export { exampleTraceIds } from './render/finding-facts.ts'
export type { HtmlOptions } from './render/html.ts'
export { renderHtml } from './render/html.ts'
export { renderTraceHtml } from './render/html-waterfall.ts'
export { renderJson } from './render/json.ts'
export { renderMarkdown } from './render/markdown.ts'
export type { TextOptions } from './render/text.ts'
export { renderFindingText, renderText } from './render/text.ts'
export type { WaterfallTextOptions } from './render/waterfall-text.ts'
export { renderWaterfallText } from './render/waterfall-text.ts'
export type { Waterfall, WaterfallRow, WaterfallSpan } from './trace/waterfall.ts'
export { buildWaterfall } from './trace/waterfall.ts'
