import { request } from "undici";
import type { AuthorizationServer } from "./authorization-server.ts";

/** An access token for a resource, of the client `agent` whose secret is `agent-secret`. */
export async function tokenFor(from: AuthorizationServer, resource: string, scope: string): Promise<string> {
  const answer = await request(`${from.issuer}/token`, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      authorization: `Basic ${Buffer.from("agent:agent-secret").toString("base64")}`,
    },
    body: new URLSearchParams({ grant_type: "client_credentials", resource, scope }).toString(),
  });
  return ((await answer.body.json()) as { access_token: string }).access_token;
}

/** Opens a session by hand: the answer shows what a client's library would act on. */
export function postInitialize(url: string, token?: string): ReturnType<typeof request> {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } };
  return request(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params }),
  });
}
