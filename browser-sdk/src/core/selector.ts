/** Tag, id and classes of an element: `button#buy.primary`. Never text or values. */
export const selectorOf = (node: unknown): string | undefined =>
  node instanceof Element
    ? node.tagName.toLowerCase() +
      (node.id && `#${node.id}`) +
      [...node.classList].map((name) => `.${name}`).join('')
    : undefined
