import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { workspaces } from './scripts/workspaces.mjs'

const propertySeed = fileURLToPath(new URL('scripts/property-seed.ts', import.meta.url))

export default defineConfig({
  test: {
    // Two cores, real databases and browsers: more workers only make them wait for each other.
    maxWorkers: 2,
    coverage: {
      provider: 'v8',
      include: workspaces.map((folder: string) => `${folder}/src/**/*.{ts,tsx}`),
      exclude: ['**/*.test.{ts,tsx}'],
      reporter: ['text-summary', 'json-summary'],
    },
    projects: workspaces.map((folder: string) => ({
      test: {
        name: folder,
        root: folder,
        include: ['src/**/*.test.{ts,tsx}'],
        setupFiles: [propertySeed],
        testTimeout: 60_000,
        hookTimeout: 180_000,
        // Real servers on a machine shared with others: one second try, which the summary names, so that it gets mended.
        retry: process.env.CI ? 1 : 0,
        // The demo wants both cores: it comes last, one file at a time.
        ...(folder === 'tests'
          ? { fileParallelism: false, sequence: { groupOrder: 1 } }
          : { sequence: { groupOrder: 0 } }),
      },
    })),
  },
})
