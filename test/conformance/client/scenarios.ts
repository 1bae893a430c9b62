import { setTimeout as sleep } from "node:timers/promises";
import { type Client, Client as SdkClient, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

/** What the suite tells the client besides the URL, where a scenario has more to say. */
export interface ScenarioContext {
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: Record<string, unknown> }[];
  readonly client_id?: string;
  readonly client_secret?: string;
  readonly private_key_pem?: string;
  readonly valid_jwt?: string;
}

/** One client as a scenario drives it. */
export type Drive = (client: Client, context: ScenarioContext) => Promise<void>;

/** A real client of the era that the suite names, which answers questions with the schema's defaults. */
export async function connect(url: URL, modern: boolean): Promise<Client> {
  const capabilities = { elicitation: { form: { applyDefaults: true } }, sampling: {}, roots: {} };
  const mode = modern ? ("auto" as const) : ("legacy" as const);
  const client = new SdkClient(
    { name: "conformance-driver", version: "1.0.0" },
    { capabilities, versionNegotiation: { mode } },
  );
  client.setRequestHandler("roots/list", async () => ({ roots: [] }));
  client.setRequestHandler("elicitation/create", async ({ params }) => {
    // While one call waits for its answer, another one must not carry its state along.
    if (params.message === "Please confirm to continue") {
      await client.callTool({ name: "test_mrtr_unrelated", arguments: {} });
    }
    const content: Record<string, boolean> = params.message.startsWith("Please confirm") ? { confirmed: true } : {};
    return { action: "accept" as const, content };
  });
  await client.connect(new StreamableHTTPClientTransport(url));
  return client;
}

const list: Drive = async (client) => {
  await client.listTools();
};
const listAndCall: Drive = async (client) => {
  for (const { name } of (await client.listTools()).tools.slice(0, 1)) {
    await client.callTool({ name, arguments: { a: 2, b: 3 } });
  }
};
const callEach =
  (...names: string[]): Drive =>
  async (client) => {
    await client.listTools();
    for (const name of names) await client.callTool({ name, arguments: {} });
  };

/** What a client does in a scenario. */
export const driveOf = (scenario: string): Drive | undefined =>
  scenario.startsWith("auth/") ? callEach("test-tool") : scenarios[scenario];

const scenarios: Readonly<Record<string, Drive>> = {
  initialize: listAndCall,
  tools_call: listAndCall,
  "elicitation-sep1034-client-defaults": callEach("test_client_elicitation_defaults"),
  "sse-retry": async (client) => {
    await client.listTools();
    // The suite takes any stream that opens after the call for the resumed one. That the gateway's standing stream has
    // opened is nowhere to be seen from here.
    await sleep(1000);
    await client.callTool({ name: "test_reconnection", arguments: {} });
  },
  "request-metadata": list,
  "sep-2322-client-request-state": callEach("test_mrtr_echo_state", "test_mrtr_no_state", "test_mrtr_no_result_type"),
  "json-schema-ref-no-deref": list,
  "http-standard-headers": async (client) => {
    const { tools } = await client.listTools();
    for (const { name } of tools) await client.callTool({ name, arguments: {} });
    const { resources } = await client.listResources();
    for (const { uri } of resources) await client.readResource({ uri });
    const { prompts } = await client.listPrompts();
    for (const { name } of prompts) await client.getPrompt({ name });
  },
  "http-custom-headers": async (client, { toolCalls = [] }) => {
    await client.listTools();
    for (const call of toolCalls) await client.callTool(call);
  },
  "http-invalid-tool-headers": async (client) => {
    for (const { name } of (await client.listTools()).tools)
      await client.callTool({ name, arguments: { region: "r" } });
  },
  "json-schema-2020-12-preservation": async (client) => {
    const { tools } = await client.listTools();
    const schema = tools.find(({ name }) => name === "json_schema_2020_12_tool")?.inputSchema;
    await client.callTool({ name: "json_schema_echo", arguments: { schema } });
  },
};
