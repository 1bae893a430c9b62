import { startHost } from "../host/server-host.ts";
import { type HostOptions, hostConfig } from "../host/settings.ts";
import { checkExposure, type ExposureOptions } from "./listen-options.ts";
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
  await ended;
  await gateway.close();
}
