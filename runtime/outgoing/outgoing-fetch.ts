import { outgoingConnector } from "./proxied-connector.ts";
import { hasProxy } from "./proxy-rules.ts";

/** Like the dispatcher of the global `fetch`: connections of the process, made with the first request that needs a proxy. */
let proxied: Promise<typeof fetch> | undefined;

/** The global `fetch`, through the proxies that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name. */
export const outgoingFetch = async (url: string | URL, init?: RequestInit): Promise<Response> => {
  if (!hasProxy()) return fetch(url, init);
  proxied ??= open();
  return (await proxied)(url, init);
};

async function open(): Promise<typeof fetch> {
  const client = await import("../http-client.ts");
  const dispatcher = new client.Agent({ connect: await outgoingConnector() });
  return (url, init) =>
    client.fetch(url as string, { ...(init as object), dispatcher }) as unknown as Promise<Response>;
}
