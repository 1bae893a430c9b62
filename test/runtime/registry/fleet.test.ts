import { afterEach, beforeEach, expect, test } from "@jest/globals";
import pino from "pino";
import { resolveConfig } from "../../../runtime/config/index.ts";
import { FleetError } from "../../../runtime/errors.ts";
import { Metrics } from "../../../runtime/observability/metrics.ts";
import { Exchange } from "../../../runtime/protocol/exchange.ts";
import { LeastConnections } from "../../../runtime/registry/balancing/least-connections.ts";
import { Fleet, type FleetClient, type FleetOptions } from "../../../runtime/registry/fleet.ts";
import { FakeConnector, type FakeSession, settled } from "../../support/fake-connector.ts";

let connector: FakeConnector;
let fleet: Fleet;
let heard: unknown[];
const metrics = new Metrics(
  () => [],
  () => ({ live: 0, max: 1 }),
);

beforeEach(async () => {
  connector = new FakeConnector();
  heard = [];
  const { servers } = resolveConfig({
    servers: {
      fake: { type: "custom", process: { command: "fake" }, retry: { attempts: 2 }, tools: { deny: ["hidden"] } },
    },
  });
  fleet = fleetOf(servers, "shared", {
    onListChanged: (_fleet, kind) => heard.push(kind),
  });
  await settled();
  // Once ready it asks for the tools by itself.
  reply(latest(), { tools: [{ name: "shown" }, { name: "hidden" }] });
  await settled();
});
afterEach(() => fleet.close());

/** A fleet of the first server, whose processes are the connector's. */
function fleetOf(
  servers: readonly unknown[],
  isolation: FleetOptions["server"]["isolation"],
  more: Partial<FleetOptions> = {},
): Fleet {
  return new Fleet({
    server: { ...(servers[0] as FleetOptions["server"]), isolation },
    connector,
    metrics,
    log: pino({ level: "silent" }),
    now: () => 0,
    random: Math.random,
    strategy: (random) => new LeastConnections(random),
    fleetNamed: () => undefined,
    onListChanged: () => {},
    ...more,
  });
}

const latest = () => connector.sessions.at(-1) as FakeSession;
const reply = (session: FakeSession, result: unknown) => session.calls.at(-1)?.resolve({ result });
const about = { name: "shown", uri: "file:///shown" };
const call = (method: string) => fleet.call({ owner: "anna", caller: undefined }, method, about, new Exchange(1000));

test("its status tells what operators ask", () => {
  expect(fleet.status()).toEqual({
    ...{ name: "fake", type: "custom", version: "1.0.0", isolation: "shared", source: "fake" },
    ...{ instances: { ready: 1, total: 1, max: 4 }, inFlight: 0, waiting: 0, restarts: 0 },
    ...{ health: "ready", tools: 2, startupMs: 0 },
  });
});

test("tools that its filter hides are not listed", async () => {
  expect(await fleet.listTools()).toEqual([{ name: "shown" }]);
});

test.each([
  ["alice", 1],
  ["anonymous", 2],
  ["local", 2],
])(
  "isolation caller: two sessions of %s use %i instances: callers without a name are told apart by their sessions",
  async (caller, count) => {
    await fleet.close();
    const { servers } = resolveConfig({
      servers: { fake: { type: "custom", process: { command: "fake" }, scaling: { minInstances: 0 } } },
    });
    connector.sessions.length = 0;
    fleet = fleetOf(servers, "caller");
    for (const owner of ["one", "two"]) {
      const client: FleetClient = { owner, caller };
      const called = fleet.call(client, "tools/call", { name: "look" }, new Exchange(1000));
      await settled();
      for (const { calls } of connector.sessions) for (const { resolve } of calls) resolve({ result: {} });
      await called;
    }
    expect(connector.sessions).toHaveLength(count);
  },
);

test("an owner's next instance is told its log level, which nothing remembers for owners that are gone", async () => {
  await fleet.close();
  const { servers } = resolveConfig({ servers: { fake: { type: "custom", process: { command: "fake" } } } });
  fleet = fleetOf(servers, "session");
  await settled();
  const anna: FleetClient = { owner: "anna", caller: undefined };
  const levels = () =>
    connector.sessions.flatMap(({ calls }) => calls.filter(({ method }) => method === "logging/setLevel"));
  const set = async (level: string) => {
    const answer = fleet.setLogLevel(anna, level);
    await settled();
    for (const { resolve } of levels()) resolve({ result: {} });
    await answer;
    return levels().length;
  };
  expect([await set("info"), await set("info"), await set("error"), await set("debug")]).toEqual([1, 1, 1, 2]);
  await fleet.release("anna");
  await settled();
  expect(await set("debug")).toBe(3);
});

test("what one owner's instance lists is shown to that owner alone, and judged without learning from it", async () => {
  await fleet.close();
  const { servers } = resolveConfig({ servers: { fake: { type: "custom", process: { command: "fake" } } } });
  const learnt: unknown[] = [];
  fleet = fleetOf(servers, "session", {
    screen: (tools) => {
      learnt.push(...tools);
      return tools;
    },
    screenOwn: (tools) => tools.filter(({ name }) => name !== "flawed"),
    onListChanged: (_fleet, kind) => heard.push(kind),
  });
  await settled();
  const warm = latest();
  reply(warm, { tools: [{ name: "first" }] });
  await settled();
  const [anna, bert] = ["anna", "bert"].map((owner) => ({ owner, caller: undefined }));
  const called = fleet.call(anna as FleetClient, "tools/call", { name: "first" }, new Exchange(1000));
  await settled();
  // The warm one is Anna's now; it lists what only she has.
  reply(warm, {});
  await called;
  warm.events.onNotification("notifications/tools/list_changed", undefined);
  expect(heard).toEqual(["tools"]);
  const list = fleet.listTools(anna);
  await settled();
  reply(warm, { tools: [{ name: "first" }, { name: "secret of Anna" }, { name: "flawed" }] });
  expect(await list).toEqual([{ name: "first" }, { name: "secret of Anna" }]);
  expect(await fleet.listTools(bert)).toEqual([{ name: "first" }]);
  expect(await fleet.listTools()).toEqual([{ name: "first" }]);
  expect(learnt).toEqual([{ name: "first" }]);
});

test.each(["tools/list", "resources/read", "prompts/get"])(
  "%s is sent again when the server ended during it",
  async (method) => {
    const answer = call(method);
    await settled();
    latest().die("killed");
    await settled();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(connector.sessions).toHaveLength(2);
    latest()
      .calls.find((sent) => sent.method === method)
      ?.resolve({ result: "again" });
    expect(await answer).toEqual({ result: "again" });
  },
);

test("tools/call is not sent again when the server ended during it: it may have had an effect", async () => {
  const answer = call("tools/call").catch((error) => error);
  await settled();
  latest().die("killed");
  expect((await answer).code).toBe("INSTANCE_LOST");
});

test("tools/call is sent again when the server had not begun it", async () => {
  const answer = call("tools/call");
  await settled();
  latest().calls.at(-1)?.reject(new FleetError("UPSTREAM_SESSION_EXPIRED", "forgotten"));
  await settled();
  expect(latest().calls.filter(({ method }) => method === "tools/call")).toHaveLength(2);
  reply(latest(), "done");
  expect(await answer).toEqual({ result: "done" });
});

test("nothing is sent a third time", async () => {
  const answer = call("tools/call").catch((error) => error);
  for (let attempt = 0; attempt < 2; attempt++) {
    await settled();
    latest().calls.at(-1)?.reject(new FleetError("UPSTREAM_SESSION_EXPIRED", "forgotten"));
  }
  expect((await answer).code).toBe("UPSTREAM_SESSION_EXPIRED");
  expect(latest().calls.filter(({ method }) => method === "tools/call")).toHaveLength(2);
});

test("a changed list is asked for anew, and told", async () => {
  latest().events.onNotification("notifications/tools/list_changed", undefined);
  const listed = fleet.listTools();
  await settled();
  reply(latest(), { tools: [{ name: "new" }] });
  expect([await listed, heard]).toEqual([[{ name: "new" }], ["tools"]]);
});

test("what was subscribed to at an instance that ends is asked of those that are left", async () => {
  await fleet.close();
  connector = new FakeConnector();
  const scaling = { minInstances: 2 };
  const { servers } = resolveConfig({ servers: { fake: { type: "custom", process: { command: "fake" }, scaling } } });
  fleet = fleetOf(servers, "shared");
  await settled();
  const asked = () =>
    connector.sessions.map(({ calls }) => calls.filter(({ method }) => method === "resources/subscribe").length);
  const subscribed = fleet.subscribe({ owner: "anna", caller: undefined }, "file:///a", () => {});
  await settled();
  const at = asked().indexOf(1);
  reply(connector.sessions[at] as FakeSession, {});
  await subscribed;
  void fleet.instances.source.instances[at]?.stop();
  await settled();
  expect(asked()[1 - at]).toBe(1);
});
