/**
 * `granted`: everything. `pending`: collected in memory, bounded; nothing is sent or stored and no request gets a header.
 * `denied`: nothing is collected, and what was stored is wiped.
 */
export type Consent = 'granted' | 'pending' | 'denied'

export let consent: Consent = 'granted'

/** Without any of the consequences; `setConsent` of the package's door has them. */
export const noteConsent = (given: Consent): void => {
  consent = given
}
