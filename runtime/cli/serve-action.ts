import { type LoadedConfig, loadConfig, type ResolvedConfig, watchConfig } from "../config/index.ts";
import { FleetError, messageOf } from "../errors.ts";
import { type RunningGateway, startGateway } from "../gateway.ts";
import { inheritedSocket } from "../listeners/inherited-socket.ts";
import type { Succession } from "../listeners/ports.ts";
import { Starter } from "../orchestrator/process-platform/starter.ts";
import type { RefusedChange } from "../registry/fleet-registry.ts";
import { terminalText } from "../terminal-text.ts";
import { type RunningWorkers, readLimits, startWorkers, workerCount } from "../workers/index.ts";
import { checkExposure, type ExposureOptions } from "./listen-options.ts";
import { ServiceManager } from "./service-manager.ts";

/** Options of `mcp-fleet serve`. */
export interface ServeOptions extends ExposureOptions {
  readonly config: string;
  readonly state?: string;
  readonly host?: string;
  readonly port?: number;
  /** It is the daemon of a state folder, with its admin listener at this socket. */
  readonly daemon?: string;
  /** Another daemon serves until this one is told to listen. */
  readonly follows?: boolean;
}

/** Serves until SIGTERM, SIGINT or the admin listener says to end; then drains. */
export async function serve(options: ServeOptions): Promise<void> {
  const loaded = await loadConfig(options.config);
  const config = withOverrides(loaded.config, options);
  const ended = Promise.withResolvers<number | undefined>();
  const manager = new ServiceManager();
  const workers = workerCount(config.gateway.workers, readLimits());
  const socket = socketFor(workers);
  const watcher = watchConfig({
    path: options.config,
    initial: loaded,
    onChange: async (next: LoadedConfig) => {
      const { changes } = await gateway.apply(withOverrides(next.config, options), next.secrets);
      void changes.then(tellRefused);
      return { changes };
    },
    onError: (error: unknown) => {
      const reason = messageOf(error);
      gateway.kept(reason);
      process.stderr.write(
        `mcp-fleet: ${terminalText(reason)}\nmcp-fleet: the configuration in force stays as it is\n`,
      );
    },
  });
  const start = {
    config,
    secrets: loaded.secrets,
    stateDirectory: options.state,
    reload: () => watcher.reload(),
    onShutdown: ended.resolve,
    socket,
    succession: successionOf(options),
  };
  const starter = options.daemon === undefined ? undefined : new Starter(process.stdin, () => ended.resolve(0));
  const starting = workers === 1 ? startGateway(start) : startWorkers(start, workers);
  const gateway: RunningGateway | RunningWorkers = await starting.catch((error) => {
    watcher.close();
    starter?.close();
    throw error;
  });
  const end = () => ended.resolve(undefined);
  process.once("SIGTERM", end).once("SIGINT", end);
  if (process.stderr.isTTY && gateway.url !== undefined) process.stderr.write(`mcp-fleet: ${gateway.url}/mcp\n`);
  process.on("SIGHUP", () => {
    const [renewed, what] =
      "replace" in gateway
        ? [gateway.replace(), "workers stay"]
        : [watcher.reload(), "the configuration in force stays"];
    renewed.catch((error) => process.stderr.write(`mcp-fleet: ${what} as before: ${terminalText(messageOf(error))}\n`));
  });
  manager.tell("READY=1");
  const lingerMs = await ended.promise;
  manager.tell("STOPPING=1");
  watcher.close();
  starter?.close();
  await gateway.close(lingerMs);
}

/** A changed server that is not ready is no reason to end. */
function tellRefused(changes: readonly RefusedChange[]): void {
  for (const { server, reason } of changes) {
    const text = `servers.${server}: the change is refused, and the server before it goes on: ${reason}`;
    process.stderr.write(`mcp-fleet: ${terminalText(text)}\n`);
  }
}

/** The configuration with the command's options. Throws ADDRESS_NEEDS_AUTH. */
function withOverrides(config: ResolvedConfig, options: ServeOptions): ResolvedConfig {
  const { host, port, allowedHost = [] } = options;
  const gateway = {
    ...config.gateway,
    allowedHosts: [...config.gateway.allowedHosts, ...allowedHost],
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(options.daemon === undefined ? {} : { admin: { socket: options.daemon } }),
  };
  checkExposure(gateway, options);
  return { ...config, gateway };
}

function successionOf({ daemon, follows }: ServeOptions): Succession | undefined {
  if (daemon === undefined) return undefined;
  return follows === true ? "next" : "first";
}

/** The socket that a service manager has handed over. Throws CONFIG_INVALID where several processes would each need one. */
function socketFor(workers: number): number | undefined {
  const socket = inheritedSocket();
  if (socket === undefined || workers === 1) return socket;
  const message = `gateway.workers: is ${workers}, but the service manager hands over one socket; set it to 1`;
  throw new FleetError("CONFIG_INVALID", message);
}
