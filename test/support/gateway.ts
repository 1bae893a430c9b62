import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { resolveConfig } from "../../runtime/config/index.ts";
import type { ConfigFile, Server } from "../../runtime/config/schema/index.ts";
import { type GatewayOptions, type RunningGateway, startGateway } from "../../runtime/gateway.ts";

/** The stateful fixture as a custom server. */
export const statefulServer = (more: Partial<Server> = {}): Server => ({
  type: "custom",
  process: { command: process.execPath, args: [join(import.meta.dirname, "../fixtures/stateful-server.ts")] },
  ...more,
});

/** Starts a quiet gateway on a free port with a state folder of its own. */
export class TestGateway {
  readonly gateway: RunningGateway;
  readonly folder: string;
  readonly #clients: Client[] = [];

  private constructor(gateway: RunningGateway, folder: string) {
    this.gateway = gateway;
    this.folder = folder;
  }

  static async start(file: ConfigFile, options: Partial<GatewayOptions> = {}): Promise<TestGateway> {
    const folder = options.stateDirectory ?? (await mkdtemp(join(tmpdir(), "gateway-test-")));
    const log = { level: "silent" as const, ...file.gateway?.log };
    const config = resolveConfig({ ...file, gateway: { port: 0, drainMs: 1000, ...file.gateway, log } });
    return new TestGateway(await startGateway({ config, stateDirectory: folder, ...options }), folder);
  }

  get url(): string {
    return this.gateway.url as string;
  }

  /** A real client with a session of its own. */
  async connect(path = "/mcp", headers: Record<string, string> = {}): Promise<Client> {
    const client = new Client({ name: "test", version: "1.0.0" });
    await client.connect(new StreamableHTTPClientTransport(new URL(path, this.url), { requestInit: { headers } }));
    this.#clients.push(client);
    return client;
  }

  /** Ends clients and gateway; keeps the state folder for a gateway that follows. */
  async stop(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close()));
    await this.gateway.close();
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What a tool of the fixture says. */
export async function say(client: Client, name: string, args: Record<string, unknown> = {}): Promise<unknown> {
  const { content } = await client.callTool({ name, arguments: args });
  return JSON.parse((content as { text: string }[])[0]?.text ?? "null");
}
