export { type LoadedConfig, loadConfig, type ResolvedConfig } from "./config/index.ts";
export { type ErrorCode, ErrorKinds, FleetError } from "./errors.ts";
export { type GatewayOptions, type GatewayStatus, type RunningGateway, startGateway } from "./gateway.ts";
export { CompleteMCPIntegration, type ExecuteOptions } from "./integration.ts";
export type { FleetHealth, FleetStatus } from "./registry/fleet.ts";
