import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { request } from "undici";
import { WebSocket } from "ws";
import { AuthorizationServer } from "../support/authorization-server.ts";
import { statefulServer, TestGateway } from "../support/gateway.ts";
import { tokenFor } from "../support/oauth-client.ts";

const resource = "http://127.0.0.1/mcp";
let authorization: AuthorizationServer;
let it: TestGateway;
beforeAll(async () => {
  const machine = { redirect_uris: [], response_types: [], grant_types: ["client_credentials"] };
  const clients = ["agent", "gateway"].map((id) => ({ ...machine, client_id: id, client_secret: `${id}-secret` }));
  authorization = await AuthorizationServer.start({ clients: clients as never, opaque: true });
  const introspection = { clientId: "gateway", clientSecret: "gateway-secret" };
  it = await TestGateway.start({
    gateway: {
      auth: { jwt: [{ issuer: authorization.issuer, introspection, cacheSeconds: 1 }], oauth: { resource } },
      drainMs: 100,
    },
    servers: { notes: statefulServer() },
  });
});
afterAll(async () => {
  await it.close();
  await authorization.close();
});

const revoke = async (token: string) => {
  const { body } = await request(`${authorization.issuer}/token/revocation`, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      authorization: `Basic ${Buffer.from("agent:agent-secret").toString("base64")}`,
    },
    body: new URLSearchParams({ token }).toString(),
  });
  await body.dump();
};

test("streams and connections end when their token is revoked, those of other tokens go on", async () => {
  const [bad, good] = await Promise.all([
    tokenFor(authorization, resource, "read"),
    tokenFor(authorization, resource, "write"),
  ]);
  const open = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const [stream] = (await once(get(`${it.url}/sse/notes`, { headers }), "response")) as [IncomingMessage];
    const socket = new WebSocket(`${it.url.replace(/^http/, "ws")}/ws/notes`, "mcp", { headers });
    await once(socket, "open");
    return { stream: stream.resume(), socket };
  };
  const [revoked, other] = await Promise.all([open(bad), open(good)]);
  const ended = Promise.all([once(revoked.stream, "end"), once(revoked.socket, "close")]);
  await revoke(bad);
  const [, [code]] = await ended;
  expect(code).toBe(1008);
  expect([other.stream.readableEnded, other.socket.readyState]).toEqual([false, WebSocket.OPEN]);
  other.stream.destroy();
  other.socket.terminate();
});
