/** Tag, id and classes of an element: `button#buy.primary`. Never text or values. */
export const selectorOf = (node: unknown): string | null => {
  if (!(node instanceof Element)) return null
  // A form answers with its input of that name.
  if (node instanceof HTMLFormElement) return 'form'
  return node.localName + (node.id && `#${node.id}`) + [...node.classList].map((name) => `.${name}`).join('')
}
