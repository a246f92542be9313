// Our vitals beside the standard library's, on one page.
import * as hotspan from '@hotspan/browser'
import { onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals'

const webVitals: Record<string, { value: number; rating: string; navigationType: string }> = {}
for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB])
  on(
    ({ name, value, rating, navigationType }) => {
      webVitals[name.toLowerCase()] = { value, rating, navigationType }
    },
    { reportAllChanges: true, reportSoftNavs: true },
  )
hotspan.init((globalThis as unknown as { HOTSPAN_TEST: hotspan.Options }).HOTSPAN_TEST)
Object.assign(globalThis, { hotspan, webVitals })
