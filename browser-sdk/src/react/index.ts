// First: the hook must be there before react-dom is evaluated, so import this door before react-dom.
import './detector.ts'

export { HotspanErrorBoundary } from './error-boundary.ts'
export { HotspanProfiler } from './profiler.ts'
export { HotspanProvider } from './provider.ts'
