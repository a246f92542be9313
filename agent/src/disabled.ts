/** True for `1` and `true`. */
export const isTrue = (value: string | undefined): boolean => value === '1' || value?.toLowerCase() === 'true'

/** True when an operator has switched the agent off (`HOTSPAN_DISABLED`, `OTEL_SDK_DISABLED`): nothing is loaded then. */
export const isDisabled = (env: Readonly<Record<string, string | undefined>>): boolean =>
  isTrue(env.HOTSPAN_DISABLED) || isTrue(env.OTEL_SDK_DISABLED)
