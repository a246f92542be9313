/** A picture of a product: its category's initial on a colour of its own, drawn by the style sheet. */
export function Artwork({ id, category }: { readonly id: number; readonly category: string }) {
  return (
    <span className="artwork" style={{ '--hue': (id * 47) % 360 } as React.CSSProperties} aria-hidden="true">
      {category.slice(0, 1)}
    </span>
  )
}
