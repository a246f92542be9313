/** A rating as five stars, with the number for those who do not see them. */
export function Stars({ rating, label }: { readonly rating: number; readonly label: string }) {
  return (
    <span className="stars" role="img" aria-label={label}>
      {[1, 2, 3, 4, 5].map((star) => (
        <span key={star} className={rating >= star - 0.25 ? 'full' : rating >= star - 0.75 ? 'half' : 'none'}>
          ★
        </span>
      ))}
    </span>
  )
}
