import { afterEach, expect, test } from "@jest/globals";
import pino from "pino";
import { request } from "undici";
import {
  ClusterCoordinator,
  type ClusterMember,
  ClusterNode,
  type ClusterNodeOptions,
} from "../../../../runtime/orchestrator/cluster/index.ts";

let time = 0;
let closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.reverse()) await one.close();
  closing = [];
});

async function coordinate(more: Parameters<typeof ClusterCoordinator.start>[0] = {}): Promise<ClusterCoordinator> {
  const coordinator = await ClusterCoordinator.start({ now: () => time, ...more });
  closing.push(coordinator);
  return coordinator;
}
const server = {
  ...{ name: "docs", type: "custom", version: "1", health: "ready", inFlight: 0 },
  instances: { ready: 1, total: 1, max: 1 },
};
/** Its regular heartbeats never come: the tests make them. */
function join(nodeId: string, coordinatorEndpoint: string, more: Partial<ClusterNodeOptions> = {}): ClusterNode {
  const node = new ClusterNode({
    ...{ nodeId, coordinatorEndpoint, heartbeatMs: 60_000, log: pino({ level: "silent" }) },
    report: () => ({ url: `http://127.0.0.1:9/${nodeId}`, servers: [server] }),
    onChange: () => {},
    ...more,
  });
  closing.push(node);
  return node;
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
  });
  expect([first.members, second.members]).toEqual([[member("second")], [member("first")]]);
  await second.close();
  await first.heartbeat();
  expect(changes).toEqual([["second"], []]);
});

test("a node that misses three heartbeats is taken for dead", async () => {
  const { url } = await coordinate();
  const [first, second] = [join("first", url), join("second", url)];
  await second.heartbeat();
  time += 180_000;
  await first.heartbeat();
  expect(first.members.map(({ nodeId, ageMs }) => [nodeId, ageMs])).toEqual([["second", 180_000]]);
  time += 1;
  await first.heartbeat();
  expect(first.members).toEqual([]);
});

test("while the coordinator is away a node keeps what it knew; one that comes back empty is complete after a heartbeat", async () => {
  const coordinator = await ClusterCoordinator.start({ now: () => time });
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

test("with a token only those who have it are heard", async () => {
  const { url } = await coordinate({ token: "secret" });
  const [stranger, friend] = [join("stranger", url), join("friend", url, { token: "secret" })];
  await stranger.heartbeat();
  await friend.heartbeat();
  expect([stranger.away, friend.away, friend.members]).toEqual([true, false, []]);
  expect((await request(`${url}/cluster/nodes`)).statusCode).toBe(401);
});

test.each([
  ["[]", '"url" must be an http(s) URL or null'],
  ['{"url":"file:///etc/passwd"}', '"url" must be an http(s) URL or null'],
  ['{"url":null,"heartbeatMs":0}', '"heartbeatMs" must be a whole number from 1 to 3600000'],
  ['{"url":null,"heartbeatMs":1,"servers":[null]}', '"servers" must be a list'],
])("the report %s is refused", async (body, error) => {
  const { url } = await coordinate();
  const response = await request(`${url}/cluster/nodes/x`, {
    ...{ method: "PUT", headers: { "content-type": "application/json" }, body },
  });
  expect([response.statusCode, await response.body.json()]).toEqual([400, { error }]);
});

test("beyond loopback it does not listen without a token", async () => {
  await expect(ClusterCoordinator.start({ host: "0.0.0.0" })).rejects.toThrow(
    'host is "0.0.0.0", which other machines reach; give a token',
  );
});
