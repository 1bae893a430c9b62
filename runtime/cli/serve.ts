import { Command, InvalidArgumentError } from "commander";
import { type LoadedConfig, loadConfig, type ResolvedConfig, watchConfig } from "../config/index.ts";
import { messageOf } from "../errors.ts";
import { startGateway } from "../gateway.ts";

interface ServeOptions {
  readonly config: string;
  readonly state?: string;
  readonly host?: string;
  readonly port?: number;
}

/** `mcp-fleet serve`: the gateway in the foreground, until SIGTERM or SIGINT drains it. */
export function serveCommand(): Command {
  return new Command("serve")
    .description("Run the gateway in the foreground. SIGTERM drains it.")
    .requiredOption("--config <path>", "configuration file, or a folder with gateway.yaml and servers/<name>.yaml")
    .option("--state <folder>", "keeps the session key and the records of processes over restarts")
    .option("--host <address>", "overrides gateway.host")
    .option("--port <number>", "overrides gateway.port", portNumber)
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
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

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError(`"${text}" is no port; give a whole number from 0 to 65535.`);
}
