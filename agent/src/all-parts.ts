import { startAccounting } from './accounting/accounting.ts'
import { startMetrics } from './metrics/metrics.ts'
import { parts } from './parts.ts'

parts.startMetrics = startMetrics
parts.startAccounting = startAccounting
