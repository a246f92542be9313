/**
 * Key of a function by its source text in the build (FNV-1a over UTF-16 units, 32 bits, base 36). The page reads the same text
 * with `toString()`, so the two agree without a name, a position or an inserted statement in what is served. Of 20,000
 * functions of a large build a given one meets a stranger with its key once in 200,000.
 */
export const functionKey = (text: string): string => {
  let hash = 2166136261
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619)
  return (hash >>> 0).toString(36)
}
