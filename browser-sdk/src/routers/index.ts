export { followNextRouter } from './next.ts'
export { followReactRouter } from './react-router.ts'
export { followTanStackRouter } from './tanstack.ts'
