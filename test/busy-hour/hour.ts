import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { FleetStatus } from "../../runtime/registry/fleet-status.ts";
import { Child } from "../support/child.ts";
import { descendantsOf } from "../support/proc.ts";
import { startFleet } from "./fleet.ts";
import type { Met, VisitorOptions } from "./visitor-process.ts";

/** What is played. */
export interface BusyHourOptions {
  readonly minutes: number;
  /** At once. */
  readonly clients: number;
  /** How long a tool blocks its server. */
  readonly blockSeconds: number;
  /** Longest pause of a client between two calls. */
  readonly pauseMs: number;
  /** After this time without a word a session ends, and after a third of it an instance that nobody uses. */
  readonly idleMs: number;
  /** Whether stateless clients go in the middle of a question: nothing shows that, and the call ends ten minutes later. */
  readonly leavesParked: boolean;
  readonly seed: number;
  readonly log: (line: string) => void;
}

/** What the gateway holds. */
export interface Held {
  readonly sessions: number;
  /** Processes of servers. */
  readonly processes: number;
  readonly descriptors: number;
  /** After a garbage collection. */
  readonly heldMb: number;
  readonly inFlight: number;
}

/** What a run came to. */
export interface BusyHourOutcome {
  readonly visits: Met["leavings"];
  /** Processes of clients that were killed, with all of their clients. */
  readonly killed: number;
  readonly calls: Met["calls"];
  readonly restarts: Readonly<Record<string, number>>;
  readonly before: Held;
  readonly after: Held;
  /** What must not happen, the first few. */
  readonly problems: readonly string[];
}

interface Status {
  readonly servers: readonly FleetStatus[];
}

/** Each process of clients has one turn at a time at each server that leases. */
const processes = 5;
/** Between two ends of a process of clients, in minutes. */
const killEachMinutes = 5;
/** What may be there besides at the end: pooled connections, and what was loaded with the first call of each kind. */
const descriptorBound = 16;
const heldBoundMb = 32;
/** How long the gateway keeps the call of a stateless client that was asked something. */
const parkedMs = 10 * 60_000;

const file = (name: string) => join(import.meta.dirname, name);

/** Clients come to ten real servers, work, and go, half of them without a word; see `npm run busy-hour`. */
export async function busyHour(options: BusyHourOptions): Promise<BusyHourOutcome> {
  const { minutes, clients, blockSeconds, pauseMs, idleMs, leavesParked, log } = options;
  const leaseIdleMs = Math.round(idleMs / 3);
  const problems: string[] = [];
  const folder = await mkdtemp(join(tmpdir(), "busy-hour-"));
  const fleet = await startFleet(processes, idleMs, leaseIdleMs);
  const logFile = join(folder, "gateway.log");
  const config = { ...fleet.config, gateway: { ...fleet.config.gateway, log: { file: logFile } } };
  const gatewayFile = file("../support/gateway-process.ts");
  const [gateway, { url }] = await Child.start<{ url: string }>(
    gatewayFile,
    [JSON.stringify(config), folder],
    ["--expose-gc"],
  );
  const totals = { leavings: { ended: 0, left: 0, dropped: 0 }, calls: {}, problems };
  let killed = 0;
  let started = 0;
  const startClients = async (at: number, visitors = Math.ceil(clients / processes)) => {
    started += 1;
    const { places } = fleet;
    const mine: VisitorOptions = {
      url,
      places,
      visitors,
      blockSeconds,
      pauseMs,
      leavesParked,
      leaseIdleMs,
      seed: options.seed + started,
      blocksAll: at === 0,
    };
    return (await Child.start(file("visitor-process.ts"), [JSON.stringify(mine)]))[0];
  };
  const end = async (visitors: Child) => add(totals, await visitors.ask<Met>({}));
  try {
    // What is loaded with the first calls is no growth.
    const first = await startClients(0, 10);
    await pause(60_000 * Math.min(1, minutes / 4));
    await end(first);
    await first.end();
    const before = await settled(gateway, url, 2 * idleMs);
    log(JSON.stringify({ before }));

    const all = await Promise.all(Array.from({ length: processes }, (_, at) => startClients(at)));
    for (let minute = 1; minute < minutes + 1; minute += 1) {
      await pause(60_000 * Math.min(1, minutes - minute + 1));
      if (minute % killEachMinutes === 0 && minute < minutes) {
        const at = (minute / killEachMinutes) % processes;
        await all[at]?.end();
        killed += 1;
        all[at] = await startClients(at);
      }
      const { servers } = await gateway.ask<Status>({ ask: "status" });
      const busy = servers.map(({ name, instances, inFlight }) => `${name} ${instances.total}/${inFlight}`);
      log(`${minute} min: ${busy.join(", ")}`);
    }
    await Promise.all(all.map(end));
    await Promise.all(all.map((visitors) => visitors.end()));
    const { servers } = await gateway.ask<Status>({ ask: "status" });
    const restarts = Object.fromEntries(servers.map((server) => [server.name, server.restarts]));
    const after = await settled(gateway, url, 2 * idleMs + (leavesParked ? parkedMs : 0), before);
    log(JSON.stringify({ after }));
    for (const [name, count] of Object.entries(restarts)) {
      if (count > 0) problems.push(`${name} was restarted ${count} times, and was well`);
    }
    if (!isBack(before, after))
      problems.push(`the gateway holds more than before: ${JSON.stringify({ before, after })}`);
    for (const line of (await readFile(logFile, "utf8")).split("\n")) {
      if (line.includes('"stack"')) problems.push(`the gateway has failed unexpectedly: ${line.slice(0, 1000)}`);
    }
    return { visits: totals.leavings, killed, calls: totals.calls, restarts, before, after, problems };
  } finally {
    await gateway.end();
    await fleet.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Met by all processes of clients. */
type Totals = Omit<Met, "problems"> & { readonly problems: string[] };

function add(totals: Totals, { leavings, calls, problems }: Met): void {
  for (const how of ["ended", "left", "dropped"] as const) totals.leavings[how] += leavings[how];
  for (const [kind, { count, worstMs }] of Object.entries(calls)) {
    const before = totals.calls[kind] ?? { count: 0, worstMs: 0 };
    totals.calls[kind] = { count: before.count + count, worstMs: Math.max(before.worstMs, worstMs) };
  }
  totals.problems.push(...problems);
}

const isBack = (before: Held, after: Held): boolean =>
  after.sessions === 0 &&
  after.inFlight === 0 &&
  after.processes <= before.processes &&
  after.descriptors <= before.descriptors + descriptorBound &&
  after.heldMb <= before.heldMb + heldBoundMb;

/** Waits until nothing of the clients is left, and no more than `before`; gives up after a while. */
async function settled(gateway: Child, url: string, withinMs: number, before?: Held): Promise<Held> {
  const until = Date.now() + withinMs;
  let held = await heldBy(gateway, url);
  let same = 0;
  while (Date.now() < until && same < 3) {
    await pause(2000);
    const now = await heldBy(gateway, url);
    const still = before === undefined ? now.processes === held.processes : isBack(before, now);
    same = still && now.sessions === 0 && now.inFlight === 0 ? same + 1 : 0;
    held = now;
  }
  return held;
}

async function heldBy(gateway: Child, url: string): Promise<Held> {
  const headers = { authorization: "Bearer token-of-caller-0" };
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  const figure = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
  const { servers } = await gateway.ask<Status>({ ask: "status" });
  const { heldMb } = await gateway.ask<{ heldMb: number }>({ ask: "memory" });
  return {
    sessions: figure("mcp_sessions"),
    processes: (await descendantsOf(gateway.pid)).length,
    descriptors: figure("process_open_fds"),
    heldMb,
    inFlight: servers.reduce((sum, { inFlight, waiting }) => sum + inFlight + waiting, 0),
  };
}
