/** Counts up in place. */
export const add = (to: object, key: string, amount = 1): void => {
  const sums = to as Record<string, number>
  sums[key] = (sums[key] ?? 0) + amount
}
