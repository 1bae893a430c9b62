import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { Command } from "commander";
import { FleetError, messageOf } from "../errors.ts";
import { terminalLine } from "../terminal-text.ts";
import { counted } from "./counted.ts";

interface InitOptions {
  readonly from?: string;
  readonly output: string;
  readonly force?: true;
}

const presets = {
  context7: { type: "context7" },
  sequential: { type: "sequential" },
  magic: { type: "magic" },
  playwright: { type: "playwright" },
};

/** `mcp-fleet init`: a configuration from what an MCP client already has. */
export function initCommand(): Command {
  return new Command("init")
    .description("Write a configuration from the file in which an MCP client keeps its servers.")
    .option("--from <file>", "the client's file; looked for in the usual places when not given")
    .option("--output <file>", "what to write", "mcp-fleet.yaml")
    .option("--force", "overwrite the output")
    .action(init);
}

async function init({ from, output, force }: InitOptions): Promise<void> {
  const { stringify } = await import("yaml");
  if (existsSync(output) && !force) {
    const fix = "add --force to overwrite it, or name another file";
    throw new FleetError("CONFIG_INVALID", `--output: ${output} exists; ${fix}`);
  }
  const { origin, servers, notes } = from === undefined ? await found() : await converted(from);
  if (Object.keys(servers).length === 0) {
    const said = notes.map((note) => `\n  ${note}`).join("");
    throw new FleetError("CONFIG_INVALID", `--from: ${origin} holds no server that can be taken over${said}`);
  }
  const head = "# Checked by `mcp-fleet validate`, run by `mcp-fleet serve --config`.\n";
  const schema =
    "# yaml-language-server: $schema=node_modules/mcp-fleet/dist/runtime/config/schema/mcp-fleet.schema.json\n";
  await writeFile(output, `${schema}${head}${stringify({ gateway: { port: 8080 }, servers })}`, {
    flag: force ? "w" : "wx",
  }).catch((error) => {
    const fix = "create its folder, or name another file";
    throw new FleetError("CONFIG_INVALID", `--output: ${output} cannot be written (${messageOf(error)}); ${fix}`);
  });
  process.stdout.write(`${output}: ${counted(Object.keys(servers).length)} from ${origin}\n`);
  for (const note of notes) process.stdout.write(`  ${terminalLine(note)}\n`);
}

async function converted(file: string) {
  const { convertClientFile, parseText } = await import("../config/client-files/index.ts");
  const text = await readFile(file, "utf8").catch((error) => {
    const fix = "give the file in which a client keeps its servers";
    throw new FleetError("CONFIG_UNREADABLE", `--from: ${file} cannot be read (${messageOf(error)}); ${fix}`);
  });
  return { origin: file, ...convertClientFile(file, await parseText(file, text)) };
}

/** The first of the usual files that declares a server, else the presets. */
async function found() {
  const { usualPlaces } = await import("../config/client-files/index.ts");
  const unread: string[] = [];
  for (const place of usualPlaces().filter((each) => existsSync(each))) {
    try {
      const read = await converted(place);
      if (Object.keys(read.servers).length > 0) return { ...read, notes: [...unread, ...read.notes] };
    } catch (error) {
      unread.push(messageOf(error));
    }
  }
  return { origin: "the four presets: no client's file was found", servers: presets, notes: unread };
}
