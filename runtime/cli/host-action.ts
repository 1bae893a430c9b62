import { startHost } from "../host/server-host.ts";
import { type HostOptions, hostConfig } from "../host/settings.ts";
import { checkExposure, type ExposureOptions } from "./listen-options.ts";
import { ServiceManager } from "./service-manager.ts";
import { untilSignal } from "./until-signal.ts";

/** Options of `mcp-fleet host`. */
export type HostCommandOptions = HostOptions & ExposureOptions;

/** Serves until SIGTERM or SIGINT says to end; then drains. */
export async function host(options: HostCommandOptions): Promise<void> {
  const settings = await hostConfig(options);
  checkExposure(settings.config.gateway, options);
  const ended = untilSignal();
  const gateway = await startHost(settings);
  if (process.stderr.isTTY) process.stderr.write(`mcp-fleet: ${gateway.url}/mcp\n`);
  const manager = new ServiceManager();
  // A manager that starts instances one after the other waits for the server behind it.
  manager.tellReadyWhen(() => gateway.status().ready);
  await ended;
  manager.tell("STOPPING=1");
  await gateway.close();
}
