/** Evaluated before react-dom, so that the React part of the SDK sees every commit: `main.tsx` imports this file first. */
import '@hotspan/browser/react'
import { init } from '@hotspan/browser'
import { shopConfig } from './shop-config.ts'

if (shopConfig.telemetryEndpoint !== null)
  init({ endpoint: shopConfig.telemetryEndpoint, service: 'shop-web' })
