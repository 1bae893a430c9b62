import { Argument, Command } from "commander";
import { ServerType } from "../config/schema/index.ts";
import { terminalLine } from "../terminal-text.ts";

const types = Object.values(ServerType).filter((type) => type !== ServerType.Custom);

/** `mcp-fleet install`: the packages of presets, ahead of the first start; images are made with it. */
export function installCommand(): Command {
  return new Command("install")
    .description("Install the packages of presets ahead of their first start.")
    .addArgument(new Argument("<types...>", "presets").choices(types))
    .action(async (wanted: (keyof typeof import("../orchestrator/presets.ts").presets)[]) => {
      const [{ PackageCache }, { presets }, { default: pino }] = await Promise.all([
        import("../orchestrator/package-cache.ts"),
        import("../orchestrator/presets.ts"),
        import("pino"),
      ]);
      const packages = new PackageCache({ log: pino({ level: "silent" }) });
      for (const type of wanted) {
        const { package: name, version } = presets[type];
        await packages.ensure(name, version, (line) => process.stderr.write(`mcp-fleet: ${terminalLine(line)}\n`));
      }
    });
}
