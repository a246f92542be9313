import { createElement, type ReactElement, type ReactNode } from 'react'
import type { Options } from '../core/options.ts'
import { init } from '../index.ts'
import { HotspanErrorBoundary } from './error-boundary.ts'
import { ours } from './fiber.ts'

/**
 * `init` as a component, for those who set everything up in the tree. Its options are those of the first render. With `fallback` it
 * is an error boundary, too. The door it comes from must be imported before react-dom all the same.
 */
export const HotspanProvider = ({
  children,
  fallback,
  ...options
}: Options & { readonly children?: ReactNode; readonly fallback?: ReactNode }): ReactNode => {
  // Not in an effect: those of the children run first, and fetch. Starting again does nothing.
  init(options)
  return fallback === undefined ? children : boundary(fallback, children)
}

const boundary = (fallback: ReactNode, children: ReactNode): ReactElement =>
  createElement(HotspanErrorBoundary, { fallback }, children)

ours.add(HotspanProvider)
