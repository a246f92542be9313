/** One carrier's price for one parcel. */
export interface Quote {
  readonly carrier: string
  readonly priceCents: number
  readonly days: number
}

const carriers = ['swift', 'harbor', 'postal'] as const

/** Small parcels are shown with the post first, heavy ones with the haulier first, the rest with the courier first. */
export function carriersFor(weightGrams: number): readonly string[] {
  const [swift, harbor, postal] = carriers
  if (weightGrams < 5_000) return [postal, swift, harbor]
  if (weightGrams > 15_000) return [harbor, swift, postal]
  return [swift, postal, harbor]
}

/**
 * Asks the partner for one carrier's rate.
 * @throws Error when the partner does not answer 200
 */
export async function quoteOf(
  partnerUrl: string,
  carrier: string,
  weightGrams: number,
  country: string,
): Promise<Quote> {
  const response = await fetch(
    `${partnerUrl}/carriers/${carrier}/rates?weight=${weightGrams}&country=${country}`,
  )
  if (!response.ok) throw new Error(`The partner answered ${response.status} for ${carrier}`)
  return (await response.json()) as Quote
}
