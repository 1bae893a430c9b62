import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import type { Backend } from "../../../../runtime/registry/backend.ts";
import { HostLoadReader } from "../../../../runtime/registry/health/host-load.ts";

// What a server that turned bad does with the gateway's own questions over HTTP.
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function backendAt(address: string) {
  const reports: unknown[] = [];
  const backend = { address: `${address}/mcp`, primary: {}, reported: (load: unknown) => reports.push(load) };
  return { backend: backend as unknown as Backend, reports };
}

/** A server that sends every request to an internal one, and who has asked that one. */
async function redirecting() {
  const asked: string[] = [];
  const internal = await serve((request, response) => {
    asked.push(String(request.url));
    response.end('{"cpu":0.1,"memory":0.1}');
  });
  return { asked, address: await serve((_, response) => response.writeHead(302, { location: `${internal}/x` }).end()) };
}

test("a host's report of its load is read to 64 KiB, and comes from the host itself", async () => {
  const { asked, address } = await redirecting();
  const elsewhere = backendAt(address);
  let sent = 0;
  const endless = backendAt(
    await serve((_, response) => {
      const more = () => {
        do sent += 65_536;
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", more);
      more();
    }),
  );
  const good = backendAt(await serve((_, response) => response.end('{"cpu":0.5,"memory":0.25}')));
  await new HostLoadReader("/load", () => 0, fetch).read([elsewhere.backend, endless.backend, good.backend]);
  expect([elsewhere.reports, endless.reports, good.reports]).toEqual([[], [], [{ cpu: 0.5, memory: 0.25 }]]);
  expect(asked).toEqual([]);
  // A little more is on its way; in the two seconds that a report may take it would be hundreds of megabytes.
  expect(sent).toBeLessThan(16 * 1024 * 1024);
});

/** A host that wants a token and counts who asks. */
async function guarded(report: object, status = 401) {
  const asked: (string | undefined)[] = [];
  const address = await serve(({ headers }, response) => {
    asked.push(headers.authorization);
    if (headers.authorization !== "Bearer right") response.statusCode = status;
    response.end(JSON.stringify(report));
  });
  const told: unknown[] = [];
  const room = { told: (...free: number[]) => told.push(free) };
  const { backend, reports } = backendAt(address);
  return { asked, told, reports, backend: Object.assign(backend, { room, ready: true, sessions: 2 }) };
}
const report = { cpu: 0.5, memory: 0.25, leases: { used: 3, max: 4 } };

test("a host that wants credentials gets those of its server, and says how many places are free", async () => {
  const host = await guarded(report);
  const reader = new HostLoadReader(
    "/load",
    () => 0,
    fetch,
    async () => ({ authorization: "Bearer right" }),
  );
  await reader.readRoom([host.backend, host.backend]);
  expect([host.told[0], host.reports[0]]).toEqual([[1, 2], { cpu: 0.5, memory: 0.25 }]);
});

test("what gives no report of its places is asked once, one that fails is asked again, and one alone not at all", async () => {
  const [closed, plain, failing] = [await guarded(report), await guarded({ cpu: 0 }, 200), await guarded(report, 503)];
  const reader = new HostLoadReader("/load", () => 0, fetch);
  const backends = [closed.backend, plain.backend, failing.backend];
  for (let round = 0; round < 3; round += 1) await reader.readRoom(backends);
  await reader.readRoom([failing.backend]);
  expect([closed.asked.length, plain.asked.length, failing.asked.length]).toEqual([1, 1, 3]);
  expect([closed.told, plain.told, failing.told]).toEqual([[], [], []]);
});

test("credentials that cannot be had are asked for once, and the host is asked without", async () => {
  const host = await guarded(report, 503);
  let tries = 0;
  const reader = new HostLoadReader(
    "/load",
    () => 0,
    fetch,
    async () => {
      tries += 1;
      throw new Error("the authorization server is down");
    },
  );
  for (let round = 0; round < 3; round += 1) await reader.readRoom([host.backend, host.backend]);
  expect(host.asked).toEqual(Array(6).fill(undefined));
  expect(tries).toBeLessThanOrEqual(2);
});
