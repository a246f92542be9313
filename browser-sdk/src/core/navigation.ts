/** The document's own timing entry; `activationStart` is where a prerendered page begins for its visitor. */
export const navigationTiming = (): PerformanceNavigationTiming & { readonly activationStart?: number } =>
  performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming
