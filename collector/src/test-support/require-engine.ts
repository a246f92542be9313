import { locateEngine } from '../engine/platform.ts'

/**
 * Why tests of the real engine cannot run here, null when they can. Printed; with HOTSPAN_REQUIRE containing `chdb` it is an
 * error instead of a skip.
 */
export function missingEngine(): string | null {
  try {
    locateEngine()
    return null
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if ((process.env.HOTSPAN_REQUIRE ?? '').split(',').includes('chdb')) throw error
    console.log(`skipped: ${reason}`)
    return reason
  }
}
