export { resolveFleet } from "../fleet/resolve.ts";
export { resolveGateway } from "../gateway/resolve.ts";
export { composeExport, gatewayConfigFile } from "./compose.ts";
