import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { type ClusterMember, NodeCalls, NodeKeys } from "../../../../runtime/orchestrator/cluster/index.ts";

let closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

const keys = new NodeKeys();
const peer = new NodeKeys();
let time = 0;
function callsOf(patienceMs = 0): NodeCalls {
  const calls = new NodeCalls({ nodeId: "here", keys, patienceMs, now: () => time });
  closing.push(() => calls.close());
  return calls;
}
const memberAt = (nodeId: string, url: string): ClusterMember => ({
  nodeId,
  url,
  heartbeatMs: 5000,
  publicKey: peer.publicKey,
  servers: [],
  ageMs: 0,
});
/** A node that answers every request in this way, and how often it was asked. */
async function node(nodeId: string, listener: RequestListener) {
  let asked = 0;
  const http = createServer((request, response) => {
    asked += 1;
    listener(request, response);
  }).listen(0, "127.0.0.1");
  closing.push(() => {
    http.closeAllConnections();
    http.close();
  });
  await new Promise((resolve) => http.once("listening", resolve));
  return { member: memberAt(nodeId, `http://127.0.0.1:${(http.address() as AddressInfo).port}`), asked: () => asked };
}
const says =
  (status: number, body: unknown): RequestListener =>
  (_request, response) =>
    void response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
const refusal = (code: string) => ({ error: { code: -31015, message: "no", data: { code } } });
const ask = (calls: NodeCalls, ...members: ClusterMember[]) =>
  calls.execute(() => members, "docs", { method: "look", params: {} });

test("a request carries the token of the two nodes, and goes to each of them in turn", async () => {
  const seen: unknown[] = [];
  const of =
    (name: string): RequestListener =>
    async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      seen.push([name, request.url, request.headers.authorization, JSON.parse(Buffer.concat(chunks).toString())]);
      response.end(JSON.stringify({ result: name }));
    };
  const [one, two] = [await node("one", of("one")), await node("two", of("two"))];
  const calls = callsOf();
  const answers = [];
  for (let n = 0; n < 4; n += 1) answers.push(await ask(calls, one.member, two.member));
  expect(answers.sort()).toEqual(["one", "one", "two", "two"]);
  expect(seen).toContainEqual([
    ...["one", "/api/v1/servers/docs/requests", `Bearer ${peer.tokenBetween(keys.publicKey, "here", "one")}`],
    { method: "look", params: {} },
  ]);
});

test.each([
  ["is dead", undefined],
  ["is ending", says(503, refusal("DRAINING"))],
  ["no longer has the server", says(404, refusal("SERVER_UNKNOWN"))],
  ["has no place free", says(503, refusal("POOL_EXHAUSTED"))],
  ["does not know us", says(401, refusal("TOKEN_REFUSED"))],
])("a node that %s is passed over: nothing was begun there", async (_what, listener) => {
  const first = listener === undefined ? memberAt("one", "http://127.0.0.1:1") : (await node("one", listener)).member;
  const other = await node("other", says(200, { result: "served" }));
  const calls = callsOf();
  expect([await ask(calls, first, other.member), await ask(calls, first, other.member)]).toEqual(["served", "served"]);
});

test.each<[string, RequestListener, string, string]>([
  [
    "breaks off",
    (request) => request.socket.destroy(),
    "INSTANCE_LOST",
    "docs at node one: the connection was lost during the request (other side closed); it may have had an effect",
  ],
  [
    "fails",
    says(502, { error: { message: "a server's own error" } }),
    "UPSTREAM_PROTOCOL",
    "docs at node one: a server's own error",
  ],
  ["pretends, by a server, to be ending", says(502, refusal("DRAINING")), "UPSTREAM_PROTOCOL", "docs at node one: no"],
  [
    "is no node",
    says(200, "<html>"),
    "UPSTREAM_PROTOCOL",
    "docs at node one: HTTP 200 without a result; is the node's URL right?",
  ],
])("a request to a node that %s is not sent to another one", async (_what, listener, code, message) => {
  const first = await node("one", listener);
  const other = await node("other", says(200, { result: "served" }));
  const calls = callsOf();
  const outcomes = [];
  for (let n = 0; n < 2; n += 1) {
    outcomes.push(await ask(calls, first.member, other.member).catch((error) => [error.code, error.message]));
  }
  expect(outcomes).toContainEqual([code, message]);
  expect([first.asked(), other.asked()]).toEqual([1, 1]);
});

test("a redirect is not followed: it would take arguments and token along", async () => {
  const thief = await node("thief", says(200, { result: "stolen" }));
  const first = await node(
    "one",
    (_request, response) => void response.writeHead(307, { location: thief.member.url as string }).end(),
  );
  await expect(ask(callsOf(), first.member)).rejects.toMatchObject({ code: "UPSTREAM_PROTOCOL" });
  expect(thief.asked()).toBe(0);
});

test("a node that has just joined waits until the others know its key, and not for ever", async () => {
  let known = false;
  const first = await node("one", (request, response) => {
    says(known ? 200 : 401, known ? { result: "served" } : refusal("TOKEN_REFUSED"))(request, response);
    known = true;
  });
  expect(await ask(callsOf(1000), first.member)).toBe("served");
  const never = await node("never", (request, response) => {
    time += 600;
    says(401, refusal("TOKEN_REFUSED"))(request, response);
  });
  await expect(ask(callsOf(1000), never.member)).rejects.toMatchObject({
    code: "UPSTREAM_UNREACHABLE",
    message: "docs at node never: no",
  });
  expect(never.asked()).toBe(2);
});

test("when no node has the server that is said, and so is that none can be reached", async () => {
  await expect(ask(callsOf())).rejects.toMatchObject({ code: "NO_INSTANCES" });
  await expect(ask(callsOf(), memberAt("one", "http://127.0.0.1:1"))).rejects.toMatchObject({
    code: "UPSTREAM_UNREACHABLE",
    message: expect.stringMatching(/^docs at node one: the node cannot be reached \(.*ECONNREFUSED.*\)$/),
  });
});
