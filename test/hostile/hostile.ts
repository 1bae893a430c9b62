import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Pool } from "undici";
import type { FleetStatus } from "../../runtime/registry/fleet-status.ts";
import { Child } from "../support/child.ts";
import { HostProcess } from "../support/host-process.ts";
import { descendantsOf } from "../support/proc.ts";
import { Caller } from "./caller.ts";
import type { Fault } from "./faults.ts";
import { connectMs, hostedSettings, hostileFleet, requestMs, stdioArgs } from "./fleet.ts";
import { messagesOf, round } from "./plan.ts";

/** What is played. */
export interface HostileOptions {
  /** Messages of the servers, at least. */
  readonly messages: number;
  readonly seed: number;
  readonly log: (line: string) => void;
  /** Only these faults, and only at servers whose names begin so; to find out which one it was. Defaults to all. */
  readonly only?: { readonly faults?: readonly Fault[] | undefined; readonly server?: string | undefined };
}

/** What a run came to. */
export interface HostileOutcome {
  /** Messages that the servers sent; an endless one counts as one. */
  readonly messages: number;
  readonly calls: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Megabytes of the gateway: what it holds after a garbage collection, and what the system has given it. */
  readonly memory: { readonly held: Range; readonly resident: Range };
  readonly health: Health;
  /** What is there when all is over: calls, kinds of resources of the process, processes, connections of servers. */
  readonly left: Left;
  /** Whatever must not happen, with its cause; the first few. */
  readonly wrong: readonly string[];
}

export interface Range {
  readonly start: number;
  readonly most: number;
  readonly end: number;
}

/** How /health was answered. */
export interface Health {
  readonly probes: number;
  /** Later than 250 ms, the time not counted in which the process waited for a processor. */
  readonly misses: number;
  /** Later than that with it. */
  readonly starved: number;
  /** Not at all, or not with 200. */
  readonly failures: number;
  /** Without that time. */
  readonly worstMs: number;
}

export interface Left {
  readonly calls: number;
  readonly resources: readonly string[];
  readonly processes: number;
  /** Servers that still have a connection, once for each. */
  readonly sockets: readonly string[];
}

interface Memory {
  readonly heldMb: number;
  readonly rssMb: number;
}

/** How much more than at its start a gateway may hold after a thousand messages, in MB. */
const heldBoundMb = 64;
/** The system gets memory of large answers back later: four of 64 MiB, as buffer and as text. */
const residentBoundMb = 700;
/** A call can wait for an instance and for a list before it goes out; and the machine is busy. */
const deadlineMs = connectMs + 2 * requestMs + 12_000;
const roundMessages = 1000;
/** Calls of both callers at once. */
const atOnce = 24;

const file = (name: string) => join(import.meta.dirname, name);

/**
 * Two callers use hostile servers of every transport through a gateway, directly and behind server hosts. Neither may
 * ever read a word of the other, each call ends, and the gateway stays as small and as quick as it was.
 */
export async function hostile({ messages, seed, log, only }: HostileOptions): Promise<HostileOutcome> {
  const wrong: string[] = [];
  const note = (problem: string, cause: unknown) => {
    if (wrong.length < 20) wrong.push(`${problem}: ${JSON.stringify(cause).slice(0, 1500)}`);
  };
  const folder = await mkdtemp(join(tmpdir(), "hostile-test-"));
  const logFile = join(folder, "gateway.log");
  const [servers, { ports }] = await Child.start<{ ports: Record<string, number> }>(file("server/main.ts"));
  const session = await HostProcess.start("hostile", hostedSettings, ...stdioArgs("session"));
  const stateless = await HostProcess.start("hostile", hostedSettings, ...stdioArgs("stateless"));
  const { targets: all, config } = hostileFleet(ports, { session: session.url, stateless: stateless.url }, logFile);
  const targets = all.filter(({ name }) => name.startsWith(only?.server ?? ""));
  const args = [JSON.stringify(config), folder];
  const [gateway, { url }] = await Child.start<{ url: string }>(file("../support/gateway-process.ts"), args, [
    "--expose-gc",
  ]);
  const hosts = [session, stateless];
  const [prober] = await Child.start(
    file("prober.ts"),
    [gateway, session, stateless].map((one) => `${one.pid}=${"url" in one ? one.url : url}`),
  );
  const pools: Pool[] = [];
  const callerOf = (name: "alice" | "bob", other: string) => {
    const pool = new Pool(url, { connections: 256, headersTimeout: 0, bodyTimeout: 0 });
    pools.push(pool);
    return new Caller({ name, other: `canary-of-${other}`, pool, deadlineMs, note });
  };
  const callers = { alice: callerOf("alice", "bob"), bob: callerOf("bob", "alice") };
  const faults: Record<string, number> = {};
  const outcomes: Record<string, number> = {};
  const totals = { messages: 0, calls: 0 };
  try {
    // What is loaded with the first call of each kind is no growth.
    for (const target of targets) {
      for (const door of ["session", "stateless"] as const) {
        await callers.alice.call({ target, door, caller: "alice", fault: "none" });
      }
    }
    const start = await gateway.ask<Memory>({ ask: "memory" });
    const hostsAtStart = hosts.map(({ pid }) => residentMb(pid));
    let [held, resident] = [start.heldMb, start.rssMb];
    let last = start;
    for (let at = 0; totals.messages < messages; at += 1) {
      const queue = [...round(targets, seed + at, Math.min(roundMessages, messages), only?.faults)];
      const work = async () => {
        for (let call = queue.pop(); call !== undefined; call = queue.pop()) {
          const outcome = await callers[call.caller].call(call);
          faults[call.fault] = (faults[call.fault] ?? 0) + 1;
          outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
          totals.messages += messagesOf(call);
          totals.calls += 1;
        }
      };
      await Promise.all(Array.from({ length: atOnce }, work));
      for (const caller of Object.values(callers)) caller.leave();
      await prober.ask({ hold: true });
      last = await memoryOf(gateway, start.heldMb + heldBoundMb);
      await prober.ask({ hold: false });
      held = Math.max(held, last.heldMb);
      resident = Math.max(resident, last.rssMb);
      if (last.heldMb > start.heldMb + heldBoundMb) note("the gateway holds too much", { at, start, last });
      if (last.rssMb > start.rssMb + residentBoundMb) note("the gateway is too large", { at, start, last });
      for (const [one, { pid }] of hosts.entries()) {
        const [before, now] = [hostsAtStart[one] as number, residentMb(pid)];
        if (now > before + residentBoundMb) note("a server host is too large", { at, before, now });
      }
      if (at % 10 === 0) log(`${totals.messages} messages, ${last.heldMb} MB held, ${last.rssMb} MB resident`);
    }
    const health = await prober.ask<Health>({});
    await Promise.all(pools.map((pool) => pool.destroy()));
    for (const host of hosts) {
      const processes = await descendantsOf(host.pid);
      const code = await host.end();
      const alive = processes.filter((pid) => existsSync(`/proc/${pid}`));
      if (code !== 0 || alive.length > 0) note("a server host has not ended cleanly", { code, alive });
    }
    const left = await leftOf(gateway, ports);
    for (const line of (await readFile(logFile, "utf8")).split("\n")) {
      if (line.includes('"stack"')) note("the gateway has failed unexpectedly", JSON.parse(line).err);
    }
    return {
      ...totals,
      faults,
      outcomes,
      health,
      left,
      wrong,
      memory: {
        held: { start: start.heldMb, most: held, end: last.heldMb },
        resident: { start: start.rssMb, most: resident, end: last.rssMb },
      },
    };
  } finally {
    await Promise.all([prober.end(), gateway.end(), servers.end(), session.stop(), stateless.stop()]);
    await Promise.all(pools.map((pool) => pool.destroy()));
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Looks again for a while: a connection that carries many calls reads on, up to its bound, when a call has ended. A message that
 * stops in the middle is given up after half a minute.
 */
async function memoryOf(gateway: Child, boundMb: number): Promise<Memory> {
  let memory = await gateway.ask<Memory>({ ask: "memory" });
  for (let tries = 0; memory.heldMb > boundMb && tries < 600; tries += 1) {
    await pause(100);
    memory = await gateway.ask<Memory>({ ask: "memory" });
  }
  return memory;
}

/**
 * The servers to which the gateway's end of a connection is open, by the kernel's table. A server that reads nothing never
 * learns that the gateway has closed one.
 */
async function openAt(ports: Readonly<Record<string, number>>): Promise<readonly string[]> {
  // ESTABLISHED, and CLOSE_WAIT: the server has closed its end.
  const open = new Set(["01", "08"]);
  const names = new Map(Object.entries(ports).map(([name, port]) => [port, name]));
  const lines = (await readFile("/proc/net/tcp", "utf8")).trim().split("\n").slice(1);
  return lines.flatMap((line) => {
    const [, , remote = "", state = ""] = line.trim().split(/\s+/);
    const name = names.get(Number.parseInt(remote.split(":")[1] ?? "", 16));
    return open.has(state) && name !== undefined ? [name] : [];
  });
}

/** What the system has given a process, by /proc. */
function residentMb(pid: number): number {
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kib) / 1000);
}

/** Calls that nobody waits for any more end soon; after the gateway's close nothing is there. */
async function leftOf(gateway: Child, ports: Readonly<Record<string, number>>): Promise<Left> {
  let calls = 0;
  // A call waits ten seconds for a client that has gone, if it was asked something.
  for (let tries = 0; tries < 300; tries += 1) {
    const { servers: fleets } = await gateway.ask<{ servers: readonly FleetStatus[] }>({ ask: "status" });
    calls = fleets.reduce((sum, { inFlight, waiting }) => sum + inFlight + waiting, 0);
    if (calls === 0) break;
    await pause(100);
  }
  const { left: resources } = await gateway.ask<{ left: readonly string[] }>({ ask: "close" });
  const processes = (await descendantsOf(gateway.pid)).length;
  let sockets: readonly string[] = [];
  for (let tries = 0; tries < 50; tries += 1) {
    sockets = await openAt(ports);
    if (sockets.length === 0) break;
    await pause(100);
  }
  return { calls, resources, processes, sockets };
}
