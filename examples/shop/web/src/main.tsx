import './telemetry.ts'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import './shop.css'

const root = document.getElementById('root')
if (root === null) throw new Error('The page has no element "root"')
createRoot(root).render(<App />)
