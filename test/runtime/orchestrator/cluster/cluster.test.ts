import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import pino from "pino";
import { request } from "undici";
import {
  ClusterCoordinator,
  type ClusterMember,
  ClusterNode,
  type ClusterNodeOptions,
  NodeKeys,
} from "../../../../runtime/orchestrator/cluster/index.ts";

let time = 0;
let closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.reverse()) await one.close();
  closing = [];
});

const token = "token-of-the-cluster";
async function coordinate(
  more: Partial<Parameters<typeof ClusterCoordinator.start>[0]> = {},
): Promise<ClusterCoordinator> {
  const coordinator = await ClusterCoordinator.start({ token, now: () => time, ...more });
  closing.push(coordinator);
  return coordinator;
}
const server = {
  ...{ name: "docs", type: "custom", version: "1", health: "ready", inFlight: 0 },
  instances: { ready: 1, total: 1, max: 1 },
};
const keysOf = new Map<string, NodeKeys>();
/** Its regular heartbeats never come: the tests make them. */
function join(nodeId: string, coordinatorEndpoint: string, more: Partial<ClusterNodeOptions> = {}): ClusterNode {
  const keys = new NodeKeys();
  keysOf.set(nodeId, keys);
  const node = new ClusterNode({
    nodeId,
    coordinatorEndpoint,
    token,
    keys,
    heartbeatMs: 60_000,
    log: pino({ level: "silent" }),
    report: () => ({ url: `http://127.0.0.1:9/${nodeId}`, servers: [server] }),
    onChange: () => {},
    ...more,
  });
  closing.push(node);
  return node;
}
const proof = (letter: string) => letter.repeat(43);
const sound = { url: null, heartbeatMs: 60_000, publicKey: new NodeKeys().publicKey, servers: [server] };
/** Reports by hand. */
async function put(url: string, id: string, body: object, headers: Record<string, string> = {}, method = "PUT") {
  const response = await request(`${url}/cluster/nodes/${id}`, {
    method,
    body: method === "PUT" ? JSON.stringify(body) : null,
    headers: {
      authorization: `Bearer ${token}`,
      "x-mcp-fleet-node-proof": proof("a"),
      ...(method === "PUT" ? { "content-type": "application/json" } : {}),
      ...headers,
    },
  });
  return [response.statusCode, await response.body.json()] as [number, { error?: string; nodes?: ClusterMember[] }];
}

test("nodes see each other's servers, in the order in which they came", async () => {
  const { url } = await coordinate();
  const changes: string[][] = [];
  const onChange = (members: readonly ClusterMember[]) => changes.push(members.map(({ nodeId }) => nodeId));
  const [first, second] = [join("first", url, { onChange }), join("second", url)];
  await first.heartbeat();
  await second.heartbeat();
  await first.heartbeat();
  const member = (nodeId: string) => ({
    ...{ nodeId, url: `http://127.0.0.1:9/${nodeId}`, heartbeatMs: 60_000, servers: [server], ageMs: 0 },
    publicKey: keysOf.get(nodeId)?.publicKey,
  });
  expect([first.members, second.members]).toEqual([[member("second")], [member("first")]]);
  await second.close();
  await first.heartbeat();
  expect(changes).toEqual([["second"], []]);
});

test("a node that misses three heartbeats is taken for dead, and its id is free", async () => {
  const { url } = await coordinate();
  const [first, second] = [join("first", url), join("second", url)];
  await second.heartbeat();
  time += 180_000;
  await first.heartbeat();
  expect(first.members.map(({ nodeId, ageMs }) => [nodeId, ageMs])).toEqual([["second", 180_000]]);
  expect((await put(url, "second", sound))[0]).toBe(403);
  time += 1;
  await first.heartbeat();
  expect(first.members).toEqual([]);
  expect((await put(url, "second", sound))[0]).toBe(200);
});

test("while the coordinator is away a node keeps what it knew; one that comes back empty is complete after a heartbeat", async () => {
  const coordinator = await ClusterCoordinator.start({ token, now: () => time });
  const [first, second] = [join("first", coordinator.url), join("second", coordinator.url)];
  await second.heartbeat();
  await first.heartbeat();
  await coordinator.close();
  await first.heartbeat();
  expect([first.away, first.members.length]).toEqual([true, 1]);
  await coordinate({ port: Number(new URL(coordinator.url).port) });
  await second.heartbeat();
  await first.heartbeat();
  expect([first.away, first.members.length]).toEqual([false, 1]);
});

test("only those who have the token are heard, and there is no coordinator without one", async () => {
  const { url } = await coordinate();
  const [stranger, friend] = [join("stranger", url, { token: "another" }), join("friend", url)];
  await stranger.heartbeat();
  await friend.heartbeat();
  expect([stranger.away, friend.away, friend.members]).toEqual([true, false, []]);
  expect((await request(`${url}/cluster/nodes`)).statusCode).toBe(401);
  for (const options of [undefined, {}, { token: "" }, { host: "0.0.0.0" }]) {
    await expect(ClusterCoordinator.start(options as { token: string })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: "token of the cluster's coordinator is missing; give a long random text that every node gets, too",
    });
  }
});

test("a web page is refused, with the token too: another Host, another Origin", async () => {
  const { url } = await coordinate({ allowedHosts: ["coordinator"] });
  const fix = "if it is yours";
  expect([
    await put(url, "x", sound, { host: "evil.example" }),
    await put(url, "x", sound, { origin: "http://evil.example" }),
    (await put(url, "x", sound, { host: "coordinator:8090" }))[0],
  ]).toEqual([
    [403, { error: `Forbidden: Host "evil.example" is not served; add the name to --allowed-host ${fix}` }],
    [403, { error: expect.stringContaining('Forbidden: Origin "http://evil.example" is not allowed') }],
    200,
  ]);
});

test("a node's id is its own: nobody else reports under it, or signs it off", async () => {
  const { url } = await coordinate();
  const honest = join("honest", url);
  await honest.heartbeat();
  const forged = { ...sound, url: "https://evil.example" };
  const refusal = {
    error: 'the id "honest" is another node\'s; choose another nodeId, or wait until that node is taken for dead',
  };
  expect(await put(url, "honest", forged, { "x-mcp-fleet-node-proof": proof("b") })).toEqual([403, refusal]);
  expect(await put(url, "honest", {}, { "x-mcp-fleet-node-proof": proof("b") }, "DELETE")).toEqual([403, refusal]);
  expect(await put(url, "new", sound, { "x-mcp-fleet-node-proof": "short" })).toEqual([
    403,
    { error: "send the node's proof as x-mcp-fleet-node-proof, 32 to 128 characters" },
  ]);
  const double = join("honest", url);
  await double.heartbeat();
  expect(double.away).toBe(true);
  const other = join("other", url);
  await other.heartbeat();
  expect(other.members.map(({ nodeId, url }) => [nodeId, url])).toEqual([["honest", "http://127.0.0.1:9/honest"]]);
});

const noUrl = '"url" must be an http(s) URL or null';
const tls =
  '"url" must be https beyond this machine; give the node a certificate (listen.tls), or put a proxy before it';
test.each<[object, string]>([
  [[], noUrl],
  [{ url: "file:///etc/passwd" }, noUrl],
  [{ url: "http://" }, noUrl],
  [{ url: "http://10.0.0.7:8080" }, tls],
  [{ url: "http://node.example" }, tls],
  [{ url: "https://user:pw@node.example" }, '"url" must not hold credentials; nodes have tokens for each other'],
  [{ url: "https://node.example/?q" }, '"url" must be a base URL, without a query and a fragment'],
  [{ url: "http://169.254.169.254/" }, '"url" must not be the link-local or unspecified address 169.254.169.254'],
  [{ url: "http://2852039166/" }, '"url" must not be the link-local or unspecified address 169.254.169.254'],
  [{ url: "https://[fe80::1]/" }, '"url" must not be the link-local or unspecified address fe80::1'],
  [{ url: "https://0.0.0.0/" }, '"url" must not be the link-local or unspecified address 0.0.0.0'],
  [{ url: `https://x/${"a".repeat(300)}` }, '"url" must have at most 256 characters'],
  [{ heartbeatMs: 999 }, '"heartbeatMs" must be a whole number from 1000 to 300000'],
  [{ heartbeatMs: 3_600_000 }, '"heartbeatMs" must be a whole number from 1000 to 300000'],
  [{ publicKey: "x" }, '"publicKey" must be an X25519 key, 32 bytes in base64url'],
  [{ nodeId: "other" }, '"nodeId" must be the id in the path'],
  [{ servers: {} }, '"servers" must be a list of at most 64'],
  [{ servers: Array(65).fill(server) }, '"servers" must be a list of at most 64'],
  ...[null, { ...server, name: "UPPER" }, { ...server, version: "v".repeat(101) }, { ...server, inFlight: 1e9 }].map(
    (one): [object, string] => [
      { servers: [server, one] },
      '"servers[1]" must have name, type, version, health, instances and inFlight',
    ],
  ),
])("the report %j is refused", async (more, error) => {
  const { url } = await coordinate();
  expect(await put(url, "x", Array.isArray(more) ? more : { ...sound, ...more })).toEqual([400, { error }]);
});

test.each(["a%2Fb", "%20", "a".repeat(65), "."])("the id %s is refused", async (id) => {
  const { url } = await coordinate();
  expect((await put(url, id, sound))[0]).not.toBe(200);
});

test("of a report the known members are kept and told, nothing else; one that is too long is not read", async () => {
  const { url } = await coordinate();
  const more = {
    ...sound,
    junk: "x".repeat(1000),
    servers: [{ ...server, junk: 1, instances: { ...server.instances, x: 1 } }],
  };
  expect(await put(url, "x", more)).toEqual([200, { nodes: [{ ...sound, nodeId: "x", ageMs: 0 }] }]);
  expect((await put(url, "y", { ...sound, junk: "x".repeat(40_000) }))[0]).toBe(413);
});

test("a cluster has at most 100 nodes and 2000 servers", async () => {
  const { url } = await coordinate();
  for (let n = 0; n < 100; n += 1) expect((await put(url, `n${n}`, { ...sound, servers: [] }))[0]).toBe(200);
  expect(await put(url, "more", sound)).toEqual([503, { error: "the cluster has 100 nodes already" }]);
  const servers = Array.from({ length: 64 }, (_, n) => ({ ...server, name: `s${n}` }));
  for (let n = 0; n < 31; n += 1) expect((await put(url, `n${n}`, { ...sound, servers }))[0]).toBe(200);
  expect(await put(url, "n31", { ...sound, servers })).toEqual([
    503,
    { error: "the cluster has 2000 servers already; report fewer" },
  ]);
});

test("a node believes no coordinator that sends nonsense, or no end of it", async () => {
  let body = "";
  const http = createServer((_request, response) => response.end(body)).listen(0, "127.0.0.1");
  closing.push({
    close() {
      http.close();
      http.closeAllConnections();
    },
  });
  await new Promise((resolve) => http.once("listening", resolve));
  const node = join("one", `http://127.0.0.1:${(http.address() as AddressInfo).port}`);
  const members = [
    { ...sound, nodeId: "good", ageMs: 5 },
    { ...sound, nodeId: "bad", url: "http://169.254.169.254/" },
    { ...sound, nodeId: "one" },
    null,
    7,
  ];
  body = JSON.stringify({ nodes: members });
  await node.heartbeat();
  expect(node.members).toEqual([{ ...sound, nodeId: "good", ageMs: 5 }]);
  for (body of ['{"nodes":{}}', "[]", `{"nodes":[],"x":"${"x".repeat(5_000_000)}"}`]) {
    await node.heartbeat();
    expect([node.away, node.members.length]).toEqual([true, 1]);
  }
});

test.each<[Partial<ClusterNodeOptions>, string]>([
  [
    { nodeId: "a/b" },
    'clustering.nodeId is "a/b"; a node\'s id must have 1 to 64 letters, digits, dots, hyphens and underscores',
  ],
  [
    { coordinatorEndpoint: "coordinator" },
    'clustering.coordinatorEndpoint is "coordinator"; give the coordinator\'s http(s) URL',
  ],
  [{ heartbeatMs: 50 }, "clustering.heartbeatInterval is 50; it must be a whole number from 1000 to 300000"],
])("a node with %j is refused", (more, message) => {
  expect(() => join("one", "http://127.0.0.1:1", more)).toThrow(message);
});
