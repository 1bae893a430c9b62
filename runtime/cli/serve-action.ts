import { type LoadedConfig, loadConfig, type ResolvedConfig, watchConfig } from "../config/index.ts";
import { messageOf } from "../errors.ts";
import { startGateway } from "../gateway.ts";

/** Options of `mcp-fleet serve`. */
export interface ServeOptions {
  readonly config: string;
  readonly state?: string;
  readonly host?: string;
  readonly port?: number;
}

/** Serves until SIGTERM, SIGINT or the admin listener says to end; then drains. */
export async function serve(options: ServeOptions): Promise<void> {
  const loaded = await loadConfig(options.config);
  const ended = Promise.withResolvers<void>();
  const watcher = watchConfig({
    path: options.config,
    initial: loaded,
    onChange: (next: LoadedConfig) => gateway.apply(withOverrides(next.config, options), next.secrets),
    onError: (error: unknown) =>
      process.stderr.write(`mcp-fleet: ${messageOf(error)}\nmcp-fleet: the configuration in force stays as it is\n`),
  });
  const gateway = await startGateway({
    config: withOverrides(loaded.config, options),
    secrets: loaded.secrets,
    stateDirectory: options.state,
    reload: () => watcher.reload(),
    onShutdown: ended.resolve,
  }).catch((error) => {
    watcher.close();
    throw error;
  });
  process.once("SIGTERM", ended.resolve).once("SIGINT", ended.resolve);
  if (process.stderr.isTTY && gateway.url !== undefined) process.stderr.write(`mcp-fleet: ${gateway.url}/mcp\n`);
  await ended.promise;
  watcher.close();
  await gateway.close();
}

function withOverrides(config: ResolvedConfig, { host, port }: ServeOptions): ResolvedConfig {
  const gateway = {
    ...config.gateway,
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
  };
  return { ...config, gateway };
}
