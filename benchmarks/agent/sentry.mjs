// As Sentry's documentation says: a file of the app's, loaded before it.
import * as Sentry from '@sentry/node'

Sentry.init({ dsn: process.env.BENCH_SENTRY_DSN, tracesSampleRate: 1 })
