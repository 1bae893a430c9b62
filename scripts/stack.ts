import { accessSync, constants, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation/index.js";
import { Command, Option } from "commander";
import { Listr } from "listr2";
import { messageOf } from "../runtime/errors.ts";
import { terminalLine, terminalText } from "../runtime/terminal-text.ts";
import { engineEnvironment, root, stateRoot } from "./backend.ts";
import { EngineMessages, progressIn } from "./engine-messages.ts";
import { findEngine } from "./pulumi-engine.ts";
import { upReport } from "./report.ts";

interface StackOptions {
  readonly stack: string;
}

/** Something that is the user's to correct; shown as it is. */
class UsageError extends Error {}

const program = new Command("stack").description("Bring a stack of this checkout up, preview it, or destroy it.");
const commands = { up: "bring it up", preview: "show what would change", destroy: "end it, and leave nothing running" };
for (const [name, description] of Object.entries(commands)) {
  program
    .command(name)
    .description(description)
    .addOption(new Option("--stack <name>", "a file stacks/Pulumi.<name>.yaml").default("dev"))
    .action((options: StackOptions) => run(name as keyof typeof commands, options));
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`\nmcp-fleet: ${terminalText(messageOf(error))}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

async function run(command: keyof typeof commands, { stack: name }: StackOptions): Promise<void> {
  checkStack(name);
  checkState();
  // The first Ctrl-C is the engine's: it ends the update in good order, and this program ends after it.
  process.on("SIGINT", () => process.stderr.write("\nending in good order; press Ctrl-C again to cut it short\n"));
  const messages = new EngineMessages();
  const stack = await openStack(name);
  if (command === "preview") return preview(stack, messages);
  if (command === "destroy") return destroy(stack, messages);
  return up(stack, messages);
}

async function openStack(stackName: string): Promise<Stack> {
  let stack: Stack | undefined;
  await tasks([
    {
      title: "Find the Pulumi engine",
      task: async (_context, task) => {
        const { command: pulumiCommand, origin } = await findEngine((line) => {
          task.output = terminalLine(line);
        });
        task.title = `Pulumi engine: ${origin}`;
        const options = { envVars: engineEnvironment(), pulumiCommand };
        stack = await LocalWorkspace.createOrSelectStack({ stackName, workDir: root }, options);
      },
    },
  ]);
  return stack as Stack;
}

async function preview(stack: Stack, messages: EngineMessages): Promise<void> {
  const onOutput = (text: string) => process.stdout.write(text);
  await guarded(messages, "preview", () =>
    stack.preview({ diff: true, onOutput, onEvent: (event) => messages.take(event) }),
  );
  process.stdout.write(isUnchanged(messages) ? "\nNo change.\n" : "");
}

async function up(stack: Stack, messages: EngineMessages): Promise<void> {
  const began = Date.now();
  await tasks([
    {
      title: "Check what changes",
      task: async (_context, task) => {
        await guarded(messages, "preview", () =>
          stack.preview({ refresh: true, onEvent: (event) => messages.take(event) }),
        );
        task.title = isUnchanged(messages) ? "Nothing has changed" : `Changes: ${describe(messages.changes)}`;
      },
    },
    {
      title: "Bring the servers up (the first time installs their packages)",
      skip: () => isUnchanged(messages) && "up to date",
      task: async (_context, task) => {
        await guarded(messages, "up", () =>
          stack.up({
            refresh: true,
            onEvent: (event) => {
              messages.take(event);
              const progress = progressIn(event);
              if (progress !== undefined) task.output = terminalLine(progress);
              const { op, urn } = event.resourcePreEvent?.metadata ?? {};
              const quiet = op === undefined || op === "same" || op === "refresh" || urn?.includes("pulumi:providers:");
              if (!quiet) task.output = `${op} ${urn?.split("::").pop()}`;
            },
          }),
        );
      },
    },
  ]);
  const { url, endpoint } = await stack.outputs();
  if (messages.diedPid !== undefined)
    process.stdout.write(`\nThe gateway (process ${messages.diedPid}) had died; it runs again.\n`);
  process.stdout.write(
    `\n${await upReport(url?.value, endpoint?.value)}\n\nUp in ${((Date.now() - began) / 1000).toFixed(1)} s.\n`,
  );
}

async function destroy(stack: Stack, messages: EngineMessages): Promise<void> {
  await tasks([
    {
      title: `Drain and end stack ${stack.name}`,
      task: async () => {
        await guarded(messages, "destroy", () => stack.destroy({ onEvent: (event) => messages.take(event) }));
        await stack.workspace.removeStack(stack.name, { preserveConfig: true });
      },
    },
  ]);
}

/** Runs one engine operation; keeps its whole log, and throws only what a person needs of its errors. */
async function guarded(messages: EngineMessages, name: string, action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    const log = join(stateRoot, "log", `pulumi-${name}.log`);
    mkdirSync(join(stateRoot, "log"), { recursive: true, mode: 0o700 });
    // The engine repeats wrong inputs whole.
    writeFileSync(log, messageOf(error), { mode: 0o600 });
    const reasons =
      messages.errors.length > 0
        ? messages.errors.join("\n")
        : (messageOf(error)
            .split("\n")
            .find((line) => line.includes("error:")) ?? messageOf(error).slice(0, 500));
    const text = `${reasons}\n(the engine's whole log: ${log})`;
    throw messages.badInput ? new UsageError(text) : new Error(text);
  }
}

function tasks(list: ConstructorParameters<typeof Listr>[0]): Promise<unknown> {
  return new Listr(list as never, {
    concurrent: false,
    fallbackRenderer: "simple",
    collectErrors: false,
    rendererOptions: { showErrorMessage: false, collapseErrors: false } as never,
  }).run();
}

function isUnchanged({ changes }: EngineMessages): boolean {
  return Object.entries(changes).every(([operation, count]) => operation === "same" || count === 0);
}

function describe(changes: EngineMessages["changes"]): string {
  return Object.entries(changes)
    .filter(([operation, count]) => operation !== "same" && count > 0)
    .map(([operation, count]) => `${count} to ${operation}`)
    .join(", ");
}

function checkStack(name: string): void {
  if (existsSync(join(root, "stacks", `Pulumi.${name}.yaml`))) return;
  const known = readdirSync(join(root, "stacks")).map((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1]);
  const names = known.filter((one) => one !== undefined).join(", ");
  throw new UsageError(
    `--stack: there is no stack "${name}" (no file stacks/Pulumi.${name}.yaml); there are: ${names}`,
  );
}

function checkState(): void {
  try {
    mkdirSync(stateRoot, { recursive: true });
    accessSync(stateRoot, constants.W_OK);
  } catch (error) {
    const fix = "make it writable, or set MCP_FLEET_STATE to another folder";
    throw new UsageError(`the state folder ${stateRoot} cannot be written (${messageOf(error)}); ${fix}`);
  }
}
