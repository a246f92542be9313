// First: the hook must be there before the page's react-dom is evaluated.
import './react/detector.ts'
import { type Consent, init } from './index.ts'

export {
  action,
  bind,
  failures,
  init,
  recordError,
  setConsent,
  setRoute,
  shutdown,
  transportStats,
} from './index.ts'

/**
 * The SDK as one classic script, global `hotspan`: with `data-endpoint` and `data-service` on its element it starts itself, so
 * that no inline script, which a CSP would have to allow, is needed; else the page calls `hotspan.init`.
 */
const given = globalThis.document?.currentScript?.dataset
if (given?.endpoint && given.service) {
  const { endpoint, service, version, sampleRatio, consent, key, propagateTo } = given
  init({
    endpoint,
    service,
    ...(version && { version }),
    ...(sampleRatio && { sampleRatio: Number(sampleRatio) }),
    ...(consent && { consent: consent as Consent }),
    ...(key && { key }),
    ...(propagateTo && { propagateTo: propagateTo.split(/[\s,]+/) }),
  })
}
