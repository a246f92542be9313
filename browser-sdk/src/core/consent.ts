/**
 * `granted`: everything. `pending`: collected in memory, bounded; nothing is sent or stored and no request gets a header.
 * `denied`: nothing is collected, and what was stored is wiped.
 */
export type Consent = 'granted' | 'pending' | 'denied'

export let consent: Consent = 'granted'

/** What the visitor has said goes before what the page says at its start. */
let said: Consent | undefined

/** Without any of the consequences; `setConsent` of the package's door has them. */
export const noteConsent = (given: Consent, byOptions?: boolean): void => {
  if (!byOptions) said = given
  consent = said ?? given
}
