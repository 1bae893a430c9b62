import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Exchange } from "../../../runtime/protocol/exchange.ts";
import { RequestIds } from "../../../runtime/protocol/request-ids.ts";
import type { Credentials } from "../../../runtime/upstreams/credentials/index.ts";
import { HttpEndpoint } from "../../../runtime/upstreams/http-endpoint.ts";
import { HttpPool } from "../../../runtime/upstreams/http1/index.ts";

let server: Server;
let pool: HttpPool;
let url: URL;
beforeEach(async () => {
  server = createServer((_request, response) => response.writeHead(401).end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
  pool = new HttpPool({ url, connectMs: 1000, maxConnections: 1, idleMs: 1000, maxLifetimeMs: 60_000, tls: undefined });
});
afterEach(() => {
  pool.close();
  server.closeAllConnections();
  server.close();
});

const never = new Promise<never>(() => {});
const now = () => performance.now();

/** One call with these credentials, which has 300 ms. */
function call(credentials: Pick<Credentials, "linesFor" | "refused">) {
  const endpoint = new HttpEndpoint({
    fleet: "locked",
    url,
    pool,
    ids: new RequestIds(),
    now,
    credentials: { perCaller: false, ...credentials },
  });
  const exchange = new Exchange(300);
  exchange.deadline = now() + 300;
  const reply = endpoint.post(endpoint.head("POST", {}), "{}", endpoint.nextId(), exchange, () => {});
  return { exchange, reply };
}
const late = { code: "REQUEST_TIMEOUT", message: expect.stringMatching(/^locked: no answer within 300 ms;/) };

test("a call ends in its time when its token does not come", async () => {
  await expect(call({ linesFor: () => never, refused: () => never }).reply).rejects.toMatchObject(late);
}, 4000);

test("a call ends in its time when its token is refused and no other one comes", async () => {
  await expect(call({ linesFor: () => "", refused: () => never }).reply).rejects.toMatchObject(late);
}, 4000);

test("a call that waits for its token ends when its client cancels it", async () => {
  const { exchange, reply } = call({ linesFor: () => never, refused: () => never });
  exchange.cancel("enough");
  await expect(reply).rejects.toMatchObject({ code: "CANCELLED" });
}, 4000);
