import { openSystemTables } from '../engine/system-tables.ts'
import { closedFunctions, mayBeCalled } from './guest-functions.ts'
import { type SqlToken, StatementRefused } from './sql-tokens.ts'

/** Throws `StatementRefused` when a reading statement names a function, a table of the engine or a file that guests have no business with. */
export function checkNames(tokens: readonly SqlToken[]): void {
  // For each open bracket whether a question stands in it, and not the arguments of a function.
  const brackets: boolean[] = []
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1]
    if (token.text === '(' || token.text === '[') {
      const asks = next?.kind === 'word' && (next.value === 'select' || next.value === 'with')
      brackets.push(token.text === '(' && asks)
    } else if (token.text === ')' || token.text === ']') brackets.pop()
    else if (token.kind === 'word' || token.kind === 'name') {
      const previous = tokens[index - 1]
      if (next?.text === '(') checkCalled(token)
      else if (previous?.text !== '.' && previous?.value !== 'as') {
        checkNamed(token, previous, brackets.at(-1) ?? true)
      }
      if (token.kind === 'word') checkWord(token, next)
      if (next?.text === '.' && previous?.text !== '.') checkSchema(token, tokens[index + 2])
    }
  }
}

function checkCalled(token: SqlToken): void {
  if (mayBeCalled(token.value, token.kind === 'name')) return
  throw new StatementRefused(`the function ${token.value.slice(0, 60)} is not open to guests, or is none`)
}

/** Those of the closed functions that the engine takes in any case. */
const inAnyCase = /^(?:chdb|connectionid|fqdn|ismergetreepartcoveredby|mergetreepartinfo)$/i

/** `arrayMap(file, x)` and `* APPLY file` call a function by its bare name; among the columns of a question it is one of them. */
function checkNamed(token: SqlToken, previous: SqlToken | undefined, amongColumns: boolean): void {
  const spelled = token.kind === 'word' ? token.text : token.value
  if (!closedFunctions.has(spelled) && !inAnyCase.test(spelled)) return
  if (amongColumns && previous?.value !== 'apply') return
  throw new StatementRefused(
    `${token.value.slice(0, 60)} is a function that is not open to guests; as the name of a column it needs a table in front`,
  )
}

function checkWord({ value }: SqlToken, next: SqlToken | undefined): void {
  if (value === 'parallel' && next?.value === 'with') throw new StatementRefused('one statement at a time')
  if (value === 'into' || value === 'outfile' || value === 'infile') {
    throw new StatementRefused(`${value.toUpperCase()} is not possible here; the answer comes back to you`)
  }
}

function checkSchema(schema: SqlToken, table: SqlToken | undefined): void {
  if (schema.value.toLowerCase() !== 'system') return
  const name = table?.value.toLowerCase() ?? ''
  if (!openSystemTables.has(name))
    throw new StatementRefused(`system.${name.slice(0, 60)} is not open to guests`)
}
