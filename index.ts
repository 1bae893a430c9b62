export type {
  FleetProcessArgs,
  FleetScalingArgs,
  FleetTimeoutsArgs,
  FleetToolsArgs,
  MCPServerFleetArgs,
} from "./components/fleet/args.ts";
export type { FleetContainerArgs } from "./components/fleet/container-args.ts";
export { MCPServerFleet } from "./components/fleet/mcp-server-fleet.ts";
export type {
  FleetCacheArgs,
  FleetCoalescingArgs,
  FleetMinimumPercentArgs,
  FleetQueueArgs,
} from "./components/fleet/performance-args.ts";
export type {
  GatewayAuthArgs,
  GatewayFleetArgs,
  GatewayLogArgs,
  GatewayProcessArgs,
  GatewaySessionArgs,
  GatewaySessionKeyArgs,
  GatewayTokenArgs,
  MCPGatewayArgs,
} from "./components/gateway/args.ts";
export { MCPGateway } from "./components/gateway/mcp-gateway.ts";
export { InputError } from "./components/input-error.ts";
export { Platform } from "./components/platform.ts";
