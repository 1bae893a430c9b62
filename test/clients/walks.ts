import { execFile } from "node:child_process";
import { join } from "node:path";
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

/** What a client is to do at one URL. */
export interface Visit {
  readonly url: string;
  readonly calls: readonly { readonly tool: string; readonly arguments: Record<string, unknown> }[];
  /** A prompt without arguments. */
  readonly prompt: string | undefined;
  /** A resource of text. */
  readonly resource: string | undefined;
}

/** What it saw there. */
export interface Seen {
  readonly revision: string | undefined;
  readonly tools: readonly string[];
  /** The text of each call's answer. */
  readonly answers: readonly string[];
  readonly prompt: string | undefined;
  /** Its first line. */
  readonly resource: string | undefined;
}

/** A real client: goes to each URL, does what it is told and tells what it saw. */
export type Walk = (visits: readonly Visit[]) => Promise<readonly Seen[]>;

interface Content {
  readonly text?: string;
}
const firstLine = (text: string | undefined) => text?.split("\n")[0];

/** The part of both TypeScript clients that the walk needs. */
interface TypeScriptClient {
  listTools(): Promise<{ tools: { name: string }[] }>;
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<{ content?: unknown }>;
  getPrompt(prompt: { name: string }): Promise<{ messages: { content: unknown }[] }>;
  readResource(resource: { uri: string }): Promise<{ contents: unknown[] }>;
  close(): Promise<void>;
}

async function walk(client: TypeScriptClient, visit: Visit, revision: () => string | undefined): Promise<Seen> {
  try {
    const { tools } = await client.listTools();
    const answers: string[] = [];
    for (const { tool, arguments: args } of visit.calls) {
      const { content } = await client.callTool({ name: tool, arguments: args });
      answers.push((content as Content[])[0]?.text ?? "");
    }
    const prompt = visit.prompt === undefined ? undefined : await client.getPrompt({ name: visit.prompt });
    const resource = visit.resource === undefined ? undefined : await client.readResource({ uri: visit.resource });
    return {
      ...{ revision: revision(), tools: tools.map(({ name }) => name), answers },
      prompt: (prompt?.messages[0]?.content as Content | undefined)?.text,
      resource: firstLine((resource?.contents[0] as Content | undefined)?.text),
    };
  } finally {
    await client.close();
  }
}

const inTurn = async (visits: readonly Visit[], go: (visit: Visit) => Promise<Seen>): Promise<Seen[]> => {
  const seen: Seen[] = [];
  for (const visit of visits) seen.push(await go(visit));
  return seen;
};

/** `@modelcontextprotocol/sdk`. */
export const typeScriptV1: Walk = (visits) =>
  inTurn(visits, async (visit) => {
    const client = new ClientV1({ name: "v1", version: "1" });
    const transport = new HttpV1(new URL(visit.url));
    // Its types predate exactOptionalPropertyTypes.
    await client.connect(transport as Parameters<ClientV1["connect"]>[0]);
    return walk(client as TypeScriptClient, visit, () => transport.protocolVersion);
  });

/** `@modelcontextprotocol/client`. */
export const typeScriptV2 =
  (mode: "legacy" | "auto"): Walk =>
  (visits) =>
    inTurn(visits, async (visit) => {
      const client = new ClientV2({ name: "v2", version: "1" }, { versionNegotiation: { mode } });
      await client.connect(new HttpV2(new URL(visit.url)));
      return walk(client as TypeScriptClient, visit, () => client.getNegotiatedProtocolVersion());
    });

/** A client in Python, one process for all visits. */
export const python =
  (script: "sdk" | "fastmcp", mode: "legacy" | "auto"): Walk =>
  async (visits) =>
    JSON.parse(
      await output(process.env.MCP_PYTHON as string, [
        join(import.meta.dirname, `python-${script}.py`),
        mode,
        JSON.stringify(visits),
      ]),
    );

const inspector = join(
  import.meta.dirname,
  "../../node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js",
);

/** The Inspector's command line: a process, and a session, for each thing that it does; two at a time. */
export const inspectorCli =
  (era: "legacy" | "modern"): Walk =>
  (visits) =>
    inTurn(visits, async ({ url, calls, prompt, resource }) => {
      const ask = async (method: string, ...args: string[]) =>
        JSON.parse(
          await output(process.execPath, [
            ...[inspector, "--cli", url, "--transport", "http", "--protocol-era", era, "--format", "json"],
            ...["--method", method, ...args],
          ]),
        );
      const call = async ({ tool, arguments: args }: Visit["calls"][number]) => {
        const given = Object.entries(args).flatMap(([key, value]) => [
          "--tool-arg",
          `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
        ]);
        const { result } = await ask("tools/call", "--tool-name", tool, ...given);
        return result.content[0].text as string;
      };
      const [listed, answers] = await Promise.all([
        ask("tools/list"),
        calls.reduce<Promise<string[]>>(
          async (before, one) => [...(await before), await call(one)],
          Promise.resolve([]),
        ),
      ]);
      const [got, read] = await Promise.all([
        prompt === undefined ? undefined : ask("prompts/get", "--prompt-name", prompt),
        resource === undefined ? undefined : ask("resources/read", "--uri", resource),
      ]);
      return {
        ...{ revision: undefined, answers },
        tools: (listed.result.tools as { name: string }[]).map(({ name }) => name),
        prompt: got?.result.messages[0].content.text,
        resource: firstLine(read?.result.contents[0].text),
      };
    });

/** What a program prints. One that ends with an error has nevertheless answered when it printed a result. */
function output(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) =>
    execFile(command, args, { maxBuffer: 1 << 26 }, (error, out, err) =>
      error === null || out.startsWith('{"result"')
        ? resolve(out)
        : reject(new Error(`${error.message}\n${out}\n${err}`)),
    ),
  );
}
