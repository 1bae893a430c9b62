import { Command, InvalidArgumentError } from "commander";
import type { ServeOptions } from "./serve-action.ts";

/** `mcp-fleet serve`: the gateway in the foreground, until SIGTERM or SIGINT drains it. */
export function serveCommand(): Command {
  return new Command("serve")
    .description("Run the gateway in the foreground. SIGTERM drains it.")
    .requiredOption("--config <path>", "configuration file, or a folder with gateway.yaml and servers/<name>.yaml")
    .option("--state <folder>", "keeps the session key and the records of processes over restarts")
    .option("--host <address>", "overrides gateway.host")
    .option("--port <number>", "overrides gateway.port", portNumber)
    .action(async (options: ServeOptions) => (await import("./serve-action.ts")).serve(options));
}

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError(`"${text}" is no port; give a whole number from 0 to 65535.`);
}
