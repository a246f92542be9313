import { formatBaggage } from '../core/baggage.ts'
import type { BaggageFormat } from './format.ts'

/** W3C Baggage. */
export const w3cBaggage: BaggageFormat = {
  fields: ['baggage'],
  read: (headers) => headers.get('baggage') ?? '',
  write(baggage, headers) {
    const header = formatBaggage(baggage)
    if (header !== '' && !headers.has('baggage')) headers.set('baggage', header)
  },
}
