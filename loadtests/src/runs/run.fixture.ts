import { type Run, runSchemaVersion } from '../run.ts'

/** A whole run record for tests. */
export function exampleRun(change: Partial<Run> = {}): Run {
  return {
    schemaVersion: runSchemaVersion,
    id: 'run-20261121T120000-0a1b2c3d',
    kind: 'load',
    driver: 'hotspan',
    driverVersion: '0.1.0',
    model: 'open',
    scenario: 'shop',
    url: 'http://127.0.0.1:3000',
    startedAtUnixMs: 1_795_264_000_000,
    warmUpMs: 1000,
    measuredMs: 4000,
    arrivals: 'poisson',
    arrivalsPerSec: 80,
    seed: 7,
    commit: 'ebb31ba'.padEnd(40, '0'),
    branch: 'main',
    dirty: false,
    machineKey: '0123456789abcdef',
    configHash: 'fedcba9876543210',
    health: { sent: 320, failed: 1, refused: 0, lateShareRatio: 0.003, generatorCpuMs: 81.5, voidReason: '' },
    metrics: { 'latency.p50': { value: 12.5, unit: 'ms', n: 320 } },
    command: ['hotspan', 'load'],
    ...change,
  }
}
