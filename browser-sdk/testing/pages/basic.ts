import * as hotspan from '@hotspan/browser'

const { endpoint, ...more } = (globalThis as unknown as { HOTSPAN_TEST: hotspan.Options }).HOTSPAN_TEST
if ('HOTSPAN_REFUSED' in globalThis) hotspan.setConsent('denied')
hotspan.init({ service: 'test-page', ...more, endpoint })
Object.assign(globalThis, { hotspan })
