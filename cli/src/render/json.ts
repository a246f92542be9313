/** C1 controls and DEL would act on a terminal; as escapes they are the same JSON. */
const unsafeInTerminal = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** Any printed document: `bigint` as decimal string, two spaces, one trailing newline. */
export const renderJson = (document: unknown): string => {
  const text = JSON.stringify(
    document,
    (_key, value) => (typeof value === 'bigint' ? value.toString() : value),
    2,
  )
  return `${text.replace(unsafeInTerminal, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`
}
