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

/** Flags of a headless Chromium that opens no connection of its own. */
export function chromeFlags(): string[] {
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
  // Chromium refuses to start its sandbox as root; everybody else keeps it.
  if (process.getuid?.() === 0) flags.push('--no-sandbox')
  return flags
}
