// The agent inside the bundle: it is started, and the packages are handed over, before the app is evaluated.
import { instrument, start } from '@hotspan/agent'
import pg from 'pg'

start()
instrument('pg', pg)
await import('./bundle-entry.mjs')
