import { isLoopback } from '../generator/target.ts'

export type FormFactor = 'mobile' | 'desktop'

// Lighthouse's own factors between a link's figures and what DevTools must add per request to resemble it
// (lighthouse/core/lib/lantern: DEVTOOLS_RTT_ADJUSTMENT_FACTOR, DEVTOOLS_THROUGHPUT_ADJUSTMENT_FACTOR).
const latencyFactor = 3.75
const throughputFactor = 0.9

/**
 * Settings of one navigation. Throttling is applied by DevTools: Lighthouse's default simulation is bimodal on localhost
 * (coefficient of variation of FCP 37 % against 4.6 %). Its desktop preset leaves DevTools' fields at 0, which would mean no
 * throttling at all, so both presets are written out here: slow 4G (150 ms, 1.6 Mbit/s, CPU 4x) and dense 4G (40 ms, 10 Mbit/s).
 */
export function lighthouseFlags(formFactor: FormFactor) {
  const mobile = formFactor === 'mobile'
  const rttMs = mobile ? 150 : 40
  const throughputKbps = mobile ? 1.6 * 1024 : 10 * 1024
  return {
    output: 'json' as const,
    logLevel: 'silent' as const,
    onlyCategories: ['performance'],
    formFactor,
    throttlingMethod: 'devtools' as const,
    throttling: {
      rttMs,
      throughputKbps,
      requestLatencyMs: rttMs * latencyFactor,
      downloadThroughputKbps: throughputKbps * throughputFactor,
      uploadThroughputKbps: (mobile ? 750 : 10 * 1024) * throughputFactor,
      cpuSlowdownMultiplier: mobile ? 4 : 1,
    },
    screenEmulation: mobile
      ? { mobile: true, width: 412, height: 823, deviceScaleFactor: 1.75, disabled: false }
      : { mobile: false, width: 1350, height: 940, deviceScaleFactor: 1, disabled: false },
    // Chromium's own: a made-up one would hide which browser was measured.
    emulatedUserAgent: false as const,
    // A screenshot of the whole page costs seconds and memory, and no figure comes from it.
    disableFullPageScreenshot: true,
  }
}

/** Hosts that Chromium asks for on its own in spite of the flags against background networking (seen: Chromium 156). */
const servicesOfChromium = ['accounts.google.com', 'clients2.google.com', 'update.googleapis.com']

/**
 * Flags of a headless Chromium for a page. While the page lies on this machine, the browser makes no connection of its own to
 * another one; a remote page may want the same hosts (a sign-in button), so there they stay reachable.
 */
export function chromeFlags(url: string): string[] {
  const flags = [
    '--headless=new',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
  ]
  if (isLoopback(new URL(url).hostname))
    flags.push(
      `--host-resolver-rules=${servicesOfChromium.map((host) => `MAP ${host} ~NOTFOUND`).join(', ')}`,
    )
  // Chromium refuses to start its sandbox as root; everybody else keeps it.
  if (process.getuid?.() === 0) flags.push('--no-sandbox')
  return flags
}
