import { Command } from "commander";
import { terminalJson } from "../terminal-text.ts";
import { counted } from "./counted.ts";
import { ExitCode } from "./exit.ts";

/** `mcp-fleet validate`: is a configuration right? */
export function validateCommand(): Command {
  return new Command("validate")
    .description("Check a configuration; exit code 2 when it is wrong.")
    .requiredOption("--config <path>", "configuration file, or a folder with gateway.yaml and servers/<name>.yaml")
    .option("--json", "list the mistakes for machines")
    .action(async ({ config, json }: { config: string; json?: true }) => {
      const [{ loadConfig, readConfig }, { pathText }] = await Promise.all([
        import("../config/index.ts"),
        import("../config/schema/index.ts"),
      ]);
      if (json) {
        const { issues } = await readConfig(config);
        const list = issues.map(({ path, ...issue }) => ({ ...issue, path: pathText(path) }));
        process.stdout.write(`${terminalJson(list, 2)}\n`);
        if (list.length > 0) process.exitCode = ExitCode.BadUsage;
        return;
      }
      const { config: loaded } = await loadConfig(config);
      const names = loaded.servers.map(({ name }) => name).join(", ");
      const what = names === "" ? ", but it has no servers" : `: ${counted(loaded.servers.length)} (${names})`;
      process.stdout.write(`${config} is right${what}\n`);
    });
}
