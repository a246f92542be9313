import { attr } from '@hotspan/otlp'
import { active } from '../core/runtime.ts'
import { type AgentSpan, Kind, Status } from '../core/span.ts'
import { BoundedCache } from '../encode/bounded-cache.ts'
import { fault, faultCount } from '../faults.ts'
import { loadedFiles } from './loaded-files.ts'
import { beginOperation, runOperation } from './operation-span.ts'
import { wrapMethod } from './wrap-method.ts'

const NAME = 'graphql'

/** Longest document that is kept, in UTF-16 units. */
const MAX_DOCUMENT = 8192

interface Definition {
  kind?: string
  operation?: string
  name?: { value?: string }
}

interface DocumentNode {
  definitions?: readonly Definition[]
  loc?: { source?: { body?: unknown } }
}

interface Result {
  errors?: readonly { message?: unknown; extensions?: { code?: unknown } }[]
}

const count = faultCount(NAME)
const documents = new BoundedCache<string>()

/**
 * `graphql.parse`, `graphql.validate` and `{operation} {name}` for the execution, as the stock instrumentation names them; no
 * span per resolver. The functions are replaced where the package's own entries call through. Schemas that are parsed
 * outside a request make no spans.
 */
export function instrumentGraphql(_exports: unknown): void {
  for (const file of loadedFiles(NAME, 'language/parser.js')) {
    wrapStep(file, 'parse', (span, document) => {
      if (operationOf(document as DocumentNode, undefined) === undefined) span.name = 'graphql.parseSchema'
    })
  }
  for (const file of loadedFiles(NAME, 'validation/validate.js')) {
    wrapStep(file, 'validate', (span, errors) => {
      if (Array.isArray(errors) && errors.length > 0) noteErrors(span, { errors })
    })
  }
  for (const file of loadedFiles(NAME, 'execution/execute.js')) {
    wrapExecute(file as object, 'execute')
    wrapExecute(file as object, 'executeSync')
  }
}

/** A step that is over when it returns. */
function wrapStep(file: unknown, step: string, note: (span: AgentSpan, result: unknown) => void): void {
  wrapMethod(
    file as object,
    step,
    (original) =>
      function traced(this: unknown, ...args: unknown[]): unknown {
        const span = begin(`graphql.${step}`)
        if (span === null) return original.apply(this, args)
        return runOperation(NAME, span, () => original.apply(this, args), note)
      },
  )
}

function wrapExecute(file: object, name: string): void {
  wrapMethod(
    file,
    name,
    (original) =>
      function execute(this: unknown, ...args: unknown[]): unknown {
        const span = begin('graphql.execute')
        if (span === null) return original.apply(this, args)
        try {
          describe(span, args)
        } catch (error) {
          fault(NAME, error)
        }
        return runOperation(
          NAME,
          span,
          () => original.apply(this, args),
          (ended, result) => noteErrors(ended, result as Result),
        )
      },
  )
}

function begin(name: string): AgentSpan | null {
  if (count.off || active.getStore() === undefined) return null
  try {
    return beginOperation(Kind.Internal, name)
  } catch (error) {
    fault(NAME, error)
    return null
  }
}

/** Arguments are one object, or in version 15 a list: schema, document, root, context, variables, operation name. */
function describe(span: AgentSpan, args: unknown[]): void {
  const asked = (args.length > 1 ? { document: args[1], operationName: args[5] } : args[0]) as {
    document?: DocumentNode
    operationName?: string | null
  }
  const operation = operationOf(asked.document, asked.operationName ?? undefined)
  const type = operation?.operation
  const name = operation?.name?.value
  if (type !== undefined) {
    span.setAttribute(attr.graphqlOperationType, type)
    span.name = name === undefined ? type : `${type} ${name}`
  }
  if (name !== undefined) span.setAttribute(attr.graphqlOperationName, name)
  const text = asked.document?.loc?.source?.body
  if (typeof text === 'string' && span.recording) span.setAttribute(attr.graphqlDocument, scrubDocument(text))
}

const operationOf = (document: DocumentNode | undefined, name: string | undefined): Definition | undefined =>
  document?.definitions?.find(
    (definition) =>
      definition.kind === 'OperationDefinition' && (name === undefined || definition.name?.value === name),
  )

function noteErrors(span: AgentSpan, result: Result | null | undefined): void {
  const first = result?.errors?.[0]
  if (first === undefined) return
  const { code } = first.extensions ?? {}
  span.setAttribute(attr.errorType, typeof code === 'string' ? code : 'GraphQLError')
  span.setStatus({ code: Status.Error, message: typeof first.message === 'string' ? first.message : '' })
}

/** The document with its literals replaced: variables travel apart, but nothing keeps people from writing values in. */
export function scrubDocument(text: string): string {
  return (
    documents.get(text) ??
    documents.set(
      text,
      text
        .slice(0, MAX_DOCUMENT)
        .replaceAll(/"""[\s\S]*?(?:"""|$)|"(?:\\.|[^"\\\n])*(?:"|$)/g, '"?"')
        .replaceAll(/(?<![\w$.?"])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w)/g, '?'),
    )
  )
}
