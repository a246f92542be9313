const MAX_BEFORE_LINES = 4

/** At the function: `function Name`, `class Name`, `name(...) {` of a method. */
const DECLARED = /^(?:export\s+|default\s+|async\s+|abstract\s+)*(?:function\b\s*\*?|class\b)\s*([\w$]+)/
const METHOD =
  /^(?:(?:public|private|protected|static|override|async|get|set)\s+|\*\s*)*(#?[\w$]+)\s*(?:<[^>(]*>)?\(/
/** What may stand before a member of a class or object. */
const MEMBER = /(?:[{;,(}]|^|\n)\s*(?:(?:public|private|protected|static|override|async|get|set)\s+|\*\s*)*$/
const NO_METHOD = /^(?:function|if|for|while|switch|catch|return|async|await|typeof|new|super)$/

/** What stands between the name and the function: `=` with wrappers (`memo(`, `forwardRef<A, B>(`), or `:` of an object. */
const WRAPPERS = String.raw`(?:(?:[A-Z][\w$]*\.)?[\w$]+\s*(?:<[^;=]*>)?\(\s*|\(\s*)*(?:async\s*)?(?:function\s*\*?\s*)?$`
/** Of several declarations the last; its type may hold anything but the end of a statement. */
const DECLARATION = new RegExp(
  String.raw`^[\s\S]*\b(?:const|let|var)\s+([\w$]+)\s*(?:!?:(?:[^;{}]|\{[^{}]*\})*?[^=!<>;])?=\s*${WRAPPERS}`,
)
const ASSIGNMENT = new RegExp(String.raw`([\w$#]+)\s*=\s*${WRAPPERS}`)
const KEY = new RegExp(String.raw`(?:^|[{,\s])['"]?([\w$]+)['"]?\s*:\s*${WRAPPERS}`)

/**
 * Name of the function that begins at a place in source text (line and column from 0), JSX and TypeScript included; undefined
 * when it has none. Reads what stands there and just before: no parser knows every dialect that a bundler is fed.
 */
export const nameInSource = (lines: readonly string[], line: number, column: number): string | undefined => {
  const text = lines[line]
  if (text === undefined) return
  const here = `${text.slice(column)}\n${lines[line + 1] ?? ''}`
  const declared = DECLARED.exec(here)?.[1]
  if (declared && declared !== 'extends') return declared
  const before = [...lines.slice(Math.max(0, line - MAX_BEFORE_LINES), line), text.slice(0, column)].join(
    '\n',
  )
  const bound = [DECLARATION, ASSIGNMENT, KEY].map((form) => form.exec(before)?.[1]).find(Boolean)
  if (bound) return bound
  const method = METHOD.exec(here)?.[1]
  const header = here.slice(0, here.search(/\{\s*$/m))
  if (
    method &&
    !NO_METHOD.test(method) &&
    MEMBER.test(before) &&
    !/=>|\bfunction\b/.test(header) &&
    header !== ''
  )
    return method
}
