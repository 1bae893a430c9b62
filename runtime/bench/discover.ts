import { FleetError } from "../errors.ts";
import { BenchSession, resultOf } from "./bench-session.ts";
import type { CallSpec, Target } from "./target.ts";

/** What to call, if the person says so. */
export interface Wanted {
  /** Defaults to the first tool whose name ends in `echo`. */
  readonly tool?: string | undefined;
  /** JSON of the arguments with `{text}` where the text of each call goes. Defaults to the first string that the tool takes. */
  readonly args?: string | undefined;
}

/**
 * Looks at the target once: which tool, which argument, and does it echo? Rejects with GATEWAY_UNREACHABLE when it cannot be reached or
 * refuses, with CONFIG_INVALID when it has no such tool or the tool fails.
 */
export async function discover(target: Target, { tool, args }: Wanted): Promise<CallSpec> {
  const session = new BenchSession(target, 30_000);
  await session.open();
  try {
    const tools = await session.tools();
    const names = tools.map(({ name }) => name);
    const found = tools.find(({ name }) => (tool === undefined ? name.endsWith("echo") : name === tool));
    if (found === undefined) throw toolMissing(target, tool, names);
    const params = `{"name":${JSON.stringify(found.name)},"arguments":${args ?? argumentsFor(found)}}`;
    if (params.split("{text}").length !== 2 || !isJson(params.replace("{text}", "probe"))) throw argsWrong(args);
    const text = `bench-probe-${process.pid}`;
    const answer = await session.probe({ params, echoes: false }, text);
    const result = resultOf(answer);
    if (result === undefined || result.isError === true) {
      const said = `the tool ${found.name} of ${target.url} failed with ${answer.status}: ${answer.body.slice(0, 200)}`;
      throw new FleetError("CONFIG_INVALID", `--args: ${said}; give arguments that it takes`);
    }
    return { params, echoes: answer.body.includes(text) };
  } finally {
    await session.close();
  }
}

function argumentsFor({ inputSchema }: { readonly inputSchema?: Record<string, unknown> }): string {
  const properties = (inputSchema?.properties ?? {}) as Record<string, { type?: unknown }>;
  const required = (inputSchema?.required ?? []) as readonly string[];
  const texts = Object.keys(properties).filter((name) => properties[name]?.type === "string");
  const name = texts.find((one) => required.includes(one)) ?? texts[0] ?? "text";
  return `{${JSON.stringify(name)}:"{text}"}`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function argsWrong(args: string | undefined): FleetError {
  const fix = `give a JSON object with {text} inside one of its texts, as in '{"text":"{text}"}'`;
  return new FleetError("CONFIG_INVALID", `--args: ${args}: ${fix}`);
}

function toolMissing({ url }: Target, tool: string | undefined, names: readonly string[]): FleetError {
  const has = names.length === 0 ? "it has none" : `it has ${names.slice(0, 10).join(", ")}`;
  const what = tool === undefined ? "no tool whose name ends in echo" : `no tool "${tool}"`;
  return new FleetError("CONFIG_INVALID", `--tool: ${url} has ${what} (${has}); choose one with --tool NAME`);
}
