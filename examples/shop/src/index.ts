export { type ShopDatabase, startDatabase } from './database/start-database.ts'
export {
  type FaultName,
  type Faults,
  faultNames,
  formatFaults,
  parseFaults,
  UnknownFaultError,
} from './faults.ts'
export { ChromiumMissingError, findChromium } from './find-chromium.ts'
export { type Draw, type LoadEndpoint, type LoadScenario, loadScenario } from './load-scenario.ts'
export { ChildStartError } from './processes/start-child.ts'
export { sourceMapFolders } from './source-map-folders.ts'
export { type Shop, type ShopOptions, startShop } from './start-shop.ts'
export { type Visit, type VisitOptions, type VisitReport, visitShop } from './visit.ts'
