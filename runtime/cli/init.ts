import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { FleetError, messageOf } from "../errors.ts";

interface InitOptions {
  readonly from?: string;
  readonly output: string;
  readonly force?: true;
}

/** Where clients keep their servers; the first that exists is taken. */
const usualPlaces = [
  ".mcp.json",
  ".cursor/mcp.json",
  ".vscode/mcp.json",
  join(homedir(), "Library/Application Support/Claude/claude_desktop_config.json"),
  join(homedir(), ".config/Claude/claude_desktop_config.json"),
  join(homedir(), ".cursor/mcp.json"),
];
const presets = {
  context7: { type: "context7" },
  sequential: { type: "sequential" },
  magic: { type: "magic" },
  playwright: { type: "playwright" },
};

/** `mcp-fleet init`: a configuration from what an MCP client already has. */
export function initCommand(): Command {
  return new Command("init")
    .description("Write a configuration from an existing .mcp.json, Claude Desktop, Cursor or VS Code file.")
    .option("--from <file>", "the client's file; looked for in the usual places when not given")
    .option("--output <file>", "what to write", "mcp-fleet.yaml")
    .option("--force", "overwrite the output")
    .action(init);
}

async function init({ from, output, force }: InitOptions): Promise<void> {
  const [{ stringify, parse }, { convertClientConfig }] = await Promise.all([
    import("yaml"),
    import("../config/client-config.ts"),
  ]);
  const source = from ?? usualPlaces.find((place) => existsSync(place));
  if (existsSync(output) && !force) {
    throw new FleetError(
      "CONFIG_INVALID",
      `--output: ${output} exists; add --force to overwrite it, or name another file`,
    );
  }
  const read = async (file: string) => {
    try {
      return parse(await readFile(file, "utf8")) as unknown;
    } catch (error) {
      throw new FleetError(
        "CONFIG_UNREADABLE",
        `--from: ${file} cannot be read (${messageOf(error)}); give a client's JSON file`,
      );
    }
  };
  const { servers, notes } =
    source === undefined ? { servers: presets, notes: [] } : convertClientConfig(await read(source));
  if (Object.keys(servers).length === 0) {
    throw new FleetError(
      "CONFIG_INVALID",
      `--from: ${source} holds no server that can be taken over${notes.map((note) => `\n  ${note}`).join("")}`,
    );
  }
  const head = "# Checked by `mcp-fleet validate`, run by `mcp-fleet serve --config`.\n";
  const schema =
    "# yaml-language-server: $schema=node_modules/mcp-fleet/dist/runtime/config/schema/mcp-fleet.schema.json\n";
  await writeFile(output, `${schema}${head}${stringify({ gateway: { port: 8080 }, servers })}`, {
    flag: force ? "w" : "wx",
  });
  const origin = source === undefined ? "the four presets: no client's file was found" : source;
  process.stdout.write(`${output}: ${Object.keys(servers).length} servers from ${origin}\n`);
  for (const note of notes) process.stdout.write(`  ${note}\n`);
}
