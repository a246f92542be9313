import { findPostgres } from '../database/binaries.ts'
import { findChromium } from '../find-chromium.ts'

const required = (name: string): boolean => (process.env.HOTSPAN_REQUIRE ?? '').split(',').includes(name)

/** Why a test that needs this program cannot run here, or undefined. A program that HOTSPAN_REQUIRE names fails the test instead. */
function missing(name: string, find: () => string): string | undefined {
  try {
    find()
    return undefined
  } catch (error) {
    if (required(name)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    console.warn(`skipped: ${reason}`)
    return reason
  }
}

export const postgresMissing = (): string | undefined => missing('postgres', findPostgres)
export const chromiumMissing = (): string | undefined => missing('chromium', findChromium)
