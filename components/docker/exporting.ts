export { resolveFleet } from "../fleet/resolve.ts";
export { resolveGateway } from "../gateway/resolve.ts";
export { exportedWatchers } from "../monitoring/docker-export.ts";
export { resolveMonitoring } from "../monitoring/resolve.ts";
export { composeExport } from "./compose.ts";
