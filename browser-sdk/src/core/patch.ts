const undo: (() => void)[] = []

/**
 * Replaces `owner[key]` by a proxy, so that name, length, own properties, `this`, `new` and the native `toString()` stay as
 * they were. `apply` gets the original; it must call it exactly once and must not throw on its own account.
 */
export const patch = <O extends object, K extends keyof O>(
  owner: O,
  key: K,
  apply: (original: O[K] & ((...args: never[]) => unknown), self: unknown, args: unknown[]) => unknown,
): void => {
  const original = owner[key] as O[K] & ((...args: never[]) => unknown)
  const replacement = new Proxy(original, { apply })
  owner[key] = replacement
  undo.push(() => {
    // Somebody patched on top of us: taking their patch away would break them, ours goes inert instead.
    if (owner[key] === replacement) owner[key] = original
  })
}

export const unpatchAll = (): void => {
  for (const restore of undo.splice(0)) restore()
}
