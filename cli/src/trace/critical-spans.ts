import type { WaterfallSpan } from './waterfall.ts'
export const criticalSpanIds = (_spans: readonly WaterfallSpan[]): ReadonlySet<string> => new Set()
