/** Door `@hotspan/dashboards`. */
export { type AlertRulesOptions, alertRules } from './alert-rules.ts'
export { expandMacros, MacroError, type MacroScope, type VariableValue } from './macros.ts'
export { type ProvisioningOptions, provisioning } from './provisioning.ts'
export { type ServiceDashboardOptions, serviceDashboard } from './service-dashboard.ts'
