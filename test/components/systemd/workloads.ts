import { type MonitoringWorkload, monitoringUnits } from "../../../components/monitoring/systemd-units.ts";
import { type FleetWorkload, fleetUnits } from "../../../components/systemd/fleet-units.ts";
import { type GatewayWorkload, gatewayUnits } from "../../../components/systemd/gateway-units.ts";

/** Node.js itself, which is there wherever the tests run. */
const program = [process.execPath, "/opt/mcp-fleet/mcp-fleet.js"];

/** A fleet called `notes`: a command under the server host, unless said otherwise. */
export const notes = (over: Partial<FleetWorkload> = {}): FleetWorkload => ({
  ...{ unit: "shop-test-fleet-notes", name: "notes", program },
  server: { type: "custom", process: { command: "notes", args: ["100%", '"all"'] } },
  ...{ command: "notes", args: [], env: {}, secrets: [], secretFiles: {}, egress: false },
  ...{ cpuMillicores: 1000, memoryMiB: 512, tags: {} },
  ...over,
});

/** A server of its own that serves HTTP, at ports from 4000 on. */
export const clock = notes({
  ...{ server: undefined, command: process.execPath, args: ["clock.js", "$HOME", "50%"] },
  ...{
    env: { TZ: "UTC" },
    secrets: ["KEY"],
    egress: true,
    cpuMillicores: 250,
    memoryMiB: 128,
    tags: { team: "search" },
  },
});

export const front = (over: Partial<GatewayWorkload> = {}): GatewayWorkload => ({
  ...{ unit: "shop-test-gateway-front", name: "front", program, host: "127.0.0.1", port: 8080, drainMs: 20_000 },
  secrets: ["ada"],
  secretFiles: { "mcp-fleet.notes": "/etc/mcp-fleet/shop-test-fleet-notes/mcp-fleet.token" },
  ...{ cpuMillicores: 1000, memoryMiB: 512, tags: {} },
  ...over,
});

/** What watches the gateway; Node.js stands for its programs. */
export const watch = (over: Partial<MonitoringWorkload> = {}): MonitoringWorkload => ({
  ...{ unit: "shop-test-monitoring-watch", name: "watch", host: "127.0.0.1", retentionDays: 15 },
  ...{ token: true, tokenFile: undefined, tags: {} },
  prometheus: { program: process.execPath, port: 9090, cpuMillicores: 1000, memoryMiB: 512 },
  alertmanager: { program: process.execPath, port: 9093, cpuMillicores: 1000, memoryMiB: 128 },
  ...over,
});

/** Every kind of unit that the platform writes. */
export const everyUnit = (): Record<string, string> => ({
  ...fleetUnits(notes({ secrets: ["API_KEY"] })),
  ...fleetUnits({ ...clock, unit: "shop-test-fleet-clock" }),
  ...gatewayUnits(front()),
  ...monitoringUnits(watch()),
});
