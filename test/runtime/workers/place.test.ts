import { expect, test } from "@jest/globals";
import { resolveConfig } from "../../../runtime/config/index.ts";
import type { Isolation } from "../../../runtime/config/schema/index.ts";
import { withPreset } from "../../../runtime/orchestrator/fleet-factory.ts";
import { fleetAt, hasFleet, ownMetric, supervisorSlot } from "../../../runtime/workers/place.ts";
import { Roster } from "../../../runtime/workers/roster.ts";

const place = (slot: number) => ({ roster: new Roster(slot, "/s"), workers: 2, socket: "/s", processes: "/p" });
const server = (more: object) => {
  const [resolved] = resolveConfig({ servers: { it: { type: "custom", ...more } } }).servers;
  return withPreset(resolved as NonNullable<typeof resolved>);
};
const stdio = (isolation: Isolation) =>
  server({ isolation, process: { command: "x" }, scaling: { minInstances: 2, maxInstances: 5 } });
const http = server({ endpoints: ["http://127.0.0.1:1/mcp"], scaling: { minInstances: 1, maxInstances: 5 } });

test("the supervisor has the processes, in full; workers have links to them, and their share of sessions elsewhere", () => {
  const [supervisor, worker] = [place(supervisorSlot), place(0)];
  expect([hasFleet(supervisor, http), hasFleet(supervisor, stdio("shared")), hasFleet(worker, http)]).toEqual([
    false,
    true,
    true,
  ]);
  const quiet = { cache: { ...stdio("session").cache, enabled: false }, coalescing: { enabled: false, tools: [] } };
  // Whose answers are kept is settled by workers, who know the callers.
  expect(fleetAt(supervisor, stdio("session"))).toEqual({ ...stdio("session"), ...quiet });
  // A link names the lease, which is the caller's: the supervisor does not look at callers again.
  expect(fleetAt(supervisor, stdio("caller"))).toEqual({ ...stdio("caller"), ...quiet, isolation: "session" });
  expect(fleetAt(worker, stdio("session")).scaling).toMatchObject({ minInstances: 0, maxInstances: 5 });
  expect(fleetAt(worker, stdio("shared")).scaling).toMatchObject({ minInstances: 1, maxInstances: 1 });
  expect(fleetAt(worker, http).scaling).toMatchObject({ minInstances: 1, maxInstances: 3 });
});

test("the supervisor does not count the calls of links again", () => {
  const names = ["mcp_request_total", "mcp_sessions", "mcp_server_in_flight", "process_cpu_seconds_total"];
  const reported = (slot: number) => names.filter((name) => ownMetric(place(slot), { name }));
  expect([reported(supervisorSlot), reported(1)]).toEqual([names.slice(2), names]);
});

test("the supervisor takes a worker's names as they stand: an alias of an alias is not looked up twice", () => {
  const tools = { aliases: { short: "long", long: "hidden" }, deny: ["hidden"] };
  const aliased = { ...stdio("shared"), tools };
  expect(fleetAt(place(supervisorSlot), aliased).tools).toEqual({ deny: [], aliases: {} });
  expect(fleetAt(place(0), aliased).tools).toEqual(tools);
});
