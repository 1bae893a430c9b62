import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { request } from "undici";
import { TcpTransport, WebSocketTransport } from "./transports.ts";

/** A client of test/fixtures/note-server.mjs at one interface. */
export interface NoteCaller {
  put(text: string): Promise<unknown>;
  /** Everything that it can learn of the server's state: the note, its lists, what it was told meanwhile. */
  look(): Promise<string>;
  close(): Promise<unknown>;
}

export interface Place {
  readonly url: string;
  readonly headers: Record<string, string>;
  /** Of the server's tools at `/mcp`, which is all servers at a gateway and the one at a host. */
  readonly prefix: string;
  readonly tcpPort?: number | undefined;
}

/** All interfaces at which a note can be put and read. `tcp` has no credentials, and is a gateway's. */
export const interfaces = {
  "/mcp, session": (place: Place) => connect(place, "/mcp", "legacy", place.prefix),
  "/mcp, stateless": (place: Place) => connect(place, "/mcp", "auto", place.prefix),
  "/sse": (place: Place) => overSse(place),
  "/ws, session": (place: Place) => overWebSocket(place, "legacy"),
  "/ws, stateless": (place: Place) => overWebSocket(place, "auto"),
  REST: (place: Place) => overRest(place),
} satisfies Record<string, (place: Place) => Promise<NoteCaller>>;
export type Interface = keyof typeof interfaces;

export const overTcp = async ({ tcpPort, prefix }: Place, mode: "legacy" | "auto"): Promise<NoteCaller> =>
  callerOf(await opened(new TcpTransport(tcpPort as number), mode), prefix);

type Mode = "legacy" | "auto";

async function opened(transport: Parameters<Client["connect"]>[0], mode: Mode): Promise<Client> {
  const client = new Client({ name: "note-caller", version: "1" }, { versionNegotiation: { mode } });
  await client.connect(transport);
  return client;
}

export async function connect({ url, headers }: Place, path: string, mode: Mode, prefix: string): Promise<NoteCaller> {
  const requestInit = { headers };
  return callerOf(await opened(new StreamableHTTPClientTransport(new URL(path, url), { requestInit }), mode), prefix);
}

async function overSse({ url, headers, prefix }: Place): Promise<NoteCaller> {
  const withHeaders: typeof fetch = (to, init) => {
    const all = new Headers(init?.headers);
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    return fetch(to, { ...init, headers: all });
  };
  return callerOf(await opened(new SSEClientTransport(new URL("/sse", url), { fetch: withHeaders }), "legacy"), prefix);
}

async function overWebSocket({ url, headers, prefix }: Place, mode: Mode): Promise<NoteCaller> {
  return callerOf(await opened(new WebSocketTransport(`${url.replace("http", "ws")}/ws`, headers), mode), prefix);
}

async function callerOf(client: Client, prefix: string): Promise<NoteCaller> {
  const told: unknown[] = [];
  client.fallbackNotificationHandler = async (notification) => void told.push(notification);
  const uri = `${prefix.replace("__", "+")}note://current`;
  // A stateless client does both in another way; the session era's methods are unknown to it.
  await client.subscribeResource({ uri }).catch(() => {});
  await client.setLoggingLevel("debug").catch(() => {});
  const call = (name: string, args: Record<string, unknown>) =>
    client.callTool({ name: prefix + name, arguments: args });
  return {
    put: (text) => call("put", { text }),
    async look() {
      const seen = [
        await call("get", {}),
        await client.readResource({ uri }),
        await client.listTools(),
        await client.listResources(),
      ];
      return JSON.stringify([...seen, told]);
    },
    close: () => client.close(),
  };
}

async function overRest({ url, headers }: Place): Promise<NoteCaller> {
  const ask = async (path: string, body?: object) => {
    const answer = await request(`${url}/api/v1/servers/note${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return answer.body.text();
  };
  return {
    put: (text) => ask("/tools/put", { text }),
    async look() {
      const list = { method: "resources/list" };
      return [await ask("/tools/get", {}), await ask("/requests", list), await ask("")].join("\n");
    },
    close: async () => {},
  };
}
