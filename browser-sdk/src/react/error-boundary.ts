import { Component, type ErrorInfo, type ReactNode } from 'react'
import { recordError } from '../signals/errors.ts'
import { ours } from './fiber.ts'

interface Props {
  readonly children?: ReactNode
  /** Shown in place of the children that failed. */
  readonly fallback?: ReactNode
}

/** Sends what a subtree throws while rendering, with the component stack, and shows the fallback. */
export class HotspanErrorBoundary extends Component<Props, { failed: boolean }> {
  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true }
  }

  override state = { failed: false }

  override componentDidCatch(error: unknown, { componentStack }: ErrorInfo): void {
    recordError(error, { 'hotspan.react.component_stack': componentStack ?? undefined })
  }

  override render(): ReactNode {
    return this.state.failed ? this.props.fallback : this.props.children
  }
}

ours.add(HotspanErrorBoundary)
