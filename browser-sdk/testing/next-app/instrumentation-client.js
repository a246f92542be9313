// Next.js runs this file before it hydrates, and so before react-dom looks for the hook.
import '@hotspan/browser/react'
import { init } from '@hotspan/browser'

init({ endpoint: globalThis.HOTSPAN_TEST?.endpoint ?? '/otlp', service: 'next-shop' })
