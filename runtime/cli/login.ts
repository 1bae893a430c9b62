import { Command } from "commander";
import type { LoginCommandOptions } from "./login-action.ts";

/** `mcp-fleet login`: lets the gateway use a server in a person's name. */
export function loginCommand(): Command {
  return new Command("login")
    .description("Log in to a server once, so that the gateway may use it. Prints the page to open.")
    .argument("<server>", "name in the configuration")
    .requiredOption("--config <path>", "configuration file, or a folder with gateway.yaml and servers/<name>.yaml")
    .requiredOption("--state <folder>", "the state folder of the gateway, where the tokens are kept")
    .option("--no-browser", "only print the page")
    .action(async (server: string, options: LoginCommandOptions) =>
      (await import("./login-action.ts")).loginAction(server, options),
    );
}
