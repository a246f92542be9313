import { fileURLToPath } from 'node:url'

/** Where `--import` of the agent points: the copy that was installed with this command. */
export const agentRegisterUrl = (): string => import.meta.resolve('@hotspan/agent/register')

/**
 * Environment that loads the agent into every Node process of a command. What the person set stays: own `NODE_OPTIONS` are kept
 * behind ours, sampling, headers and resource attributes are untouched. Only the endpoint is replaced: it is the point of `dev`.
 */
export const agentEnvironment = (
  env: NodeJS.ProcessEnv,
  target: { readonly otlpUrl: string; readonly service: string },
): NodeJS.ProcessEnv => {
  const load = `--import ${agentRegisterUrl()}`
  const own = env.NODE_OPTIONS ?? ''
  const result: NodeJS.ProcessEnv = {
    ...env,
    NODE_OPTIONS: own.includes(load) ? own : `${load} ${own}`.trim(),
    OTEL_EXPORTER_OTLP_ENDPOINT: target.otlpUrl,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_SERVICE_NAME: target.service,
    // Findings name a file and a line only with call sites; on a developer's machine that is worth its cost.
    HOTSPAN_CALL_SITES: env.HOTSPAN_CALL_SITES ?? '1',
    // Without samples a blocked event loop has no function to name, and its finding stays a mere possibility.
    HOTSPAN_PROFILE: env.HOTSPAN_PROFILE ?? '1',
  }
  delete result.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
  return result
}

export const agentRegisterPath = (): string => fileURLToPath(agentRegisterUrl())
