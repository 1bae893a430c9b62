import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import type { Server } from "../../runtime/config/schema/index.ts";
import { FaultInstance } from "../support/fault-instance.ts";
import { TestGateway } from "../support/gateway.ts";
import { HostProcess } from "../support/host-process.ts";
import { Listening } from "../support/listening.ts";
import { sessionOver, statelessOver, type Way } from "../support/ways-in.ts";

// One of three instances hangs, is killed or becomes slow, for every isolation, clients and servers of both eras, callers with
// and without a name. All of them are there at once, so that one fault tells about all.
const requestMs = 4000;
const isolations = ["shared", "caller", "session"] as const;
const eras = ["legacy", "modern"] as const;
const token = "token-of-anna";

let gateways: TestGateway[] = [];
let instances: FaultInstance[] = [];
let hosts: HostProcess[] = [];
let listening: Listening[] = [];
let stopped: number | undefined;
let over = false;
let loads: Promise<unknown>[] = [];
afterEach(async () => {
  over = true;
  for (const instance of instances) instance.signal("SIGCONT");
  if (stopped !== undefined) process.kill(stopped, "SIGCONT");
  await Promise.allSettled(loads);
  await Promise.all(gateways.map((gateway) => gateway.close()));
  await Promise.all(instances.map((instance) => instance.kill()));
  await Promise.all(hosts.map((host) => host.end()));
  await Promise.all(listening.map((server) => server.stop()));
  gateways = [];
  instances = [];
  hosts = [];
  listening = [];
  stopped = undefined;
  loads = [];
});

/** One caller that makes one call after the other, and notes who answered. */
class Caller {
  readonly name: string;
  readonly failures: string[] = [];
  worstMs = 0;
  answers = 0;
  /** Answers in a row of others than this process. */
  elsewhere = 0;
  /** The process that answered last. */
  pid: number | undefined;
  readonly #way: Way;
  readonly #tool: string;

  constructor(name: string, way: Way, tool = "read") {
    this.name = name;
    this.#way = way;
    this.#tool = tool;
  }

  async run(faulty: ReadonlySet<unknown>): Promise<void> {
    while (!over) {
      const began = performance.now();
      const { result, error } = await this.#way.ask("tools/call", { name: this.#tool, arguments: {} });
      this.worstMs = Math.max(this.worstMs, performance.now() - began);
      this.answers += 1;
      if (error !== undefined) this.failures.push(error.message);
      else {
        const { pid } = JSON.parse((result as { content: { text: string }[] }).content[0]?.text as string);
        this.pid = pid;
        this.elsewhere = faulty.has(pid) ? 0 : this.elsewhere + 1;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function start(): Promise<Caller[]> {
  instances = await Promise.all(
    eras.flatMap((ERA) => Array.from({ length: 3 }, () => FaultInstance.start({ ERA, NAME: ERA }))),
  );
  const servers = Object.fromEntries(
    isolations.flatMap((isolation) =>
      eras.map((era, index): [string, Server] => {
        const endpoints = instances.slice(index * 3, index * 3 + 3).map(({ url }) => url);
        return [`${isolation}-${era}`, { type: "custom", isolation, endpoints, timeouts: { requestMs } }];
      }),
    ),
  );
  const named = { auth: { bearerTokens: [{ name: "anna", token }] } };
  gateways = await Promise.all([{}, named].map((gateway) => TestGateway.start({ gateway, servers })));
  const callers: Caller[] = [];
  for (const [index, gateway] of gateways.entries()) {
    const headers: Record<string, string> = index === 0 ? {} : { authorization: `Bearer ${token}` };
    for (const server of Object.keys(servers)) {
      const url = `${gateway.url}/mcp/${server}`;
      for (const client of eras) {
        const way = client === "legacy" ? await sessionOver(url, { headers }) : statelessOver(url, { headers });
        await way.ask("tools/list", {});
        callers.push(new Caller(`${server}, ${client} client, ${index === 0 ? "without a name" : "named"}`, way));
      }
    }
  }
  return callers;
}

const faults: Readonly<Record<string, (instance: FaultInstance) => unknown>> = {
  hangs: (instance) => instance.signal("SIGSTOP"),
  "is killed": (instance) => instance.kill(),
  "becomes slow": (instance) => instance.delay(3000),
};

async function until(callers: readonly Caller[], done: (caller: Caller) => boolean): Promise<void> {
  while (!callers.every(done)) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Callers with a call that failed, or that took longer than it may. */
const bad = (callers: readonly Caller[], most: number) =>
  callers
    .filter(({ failures, worstMs }) => failures.length > 0 || worstMs > most)
    .map(({ name, failures, worstMs }) => ({ name, failures, worstMs }));

test.each(Object.keys(faults))(
  "one of three instances %s: no call that may be repeated fails or is late, and nobody stays there",
  async (fault) => {
    over = false;
    const callers = await start();
    const faulty = new Set<unknown>();
    loads = callers.map((caller) => caller.run(faulty));
    await until(callers, ({ answers }) => answers >= 5);
    // One of each era.
    for (const instance of [instances[0], instances[3]] as FaultInstance[]) {
      faulty.add(instance.pid);
      await faults[fault]?.(instance);
    }
    await until(callers, ({ elsewhere }) => elsewhere >= 30);
    expect(bad(callers, requestMs)).toEqual([]);
  },
);

/** Servers of which one process hangs: `quick` of this fixture says which process answers. */
const fixture = join(import.meta.dirname, "../fixtures/blocking-server.mjs");
const timeouts = { requestMs: 8000 };
const places: Readonly<Record<string, () => Promise<Record<string, Server>>>> = {
  "on standard streams": async () => ({
    shared: {
      type: "custom",
      isolation: "shared",
      timeouts,
      scaling: { minInstances: 3 },
      process: { command: process.execPath, args: [fixture] },
    },
  }),
  "over TCP": async () => {
    listening = await Promise.all([1, 2, 3].map(() => Listening.start(fixture, {}, ["tcp"])));
    const endpoints = listening.map(({ port }) => `tcp://127.0.0.1:${port}`);
    return Object.fromEntries(
      isolations.map((isolation): [string, Server] => [isolation, { type: "custom", isolation, timeouts, endpoints }]),
    );
  },
  "behind server hosts, over HTTP and WebSocket": async () => {
    hosts = await Promise.all([1, 2, 3].map(() => HostProcess.start("hosted", "isolation: shared", fixture)));
    const http = hosts.map(({ url }) => `${url}/mcp`);
    const ws = hosts.map(({ url }) => `${url.replace("http", "ws")}/ws`);
    const servers = isolations.flatMap((isolation) =>
      [http, ws].map((endpoints, index): [string, Server] => [
        `${isolation}-${index === 0 ? "http" : "ws"}`,
        { type: "custom", isolation, timeouts, endpoints },
      ]),
    );
    return Object.fromEntries(servers);
  },
};

test.each(Object.keys(places))(
  "one of three processes hangs %s: no call that may be repeated fails or is late, and nobody stays there",
  async (place) => {
    over = false;
    const servers = (await places[place]?.()) ?? {};
    const gateway = await TestGateway.start({ servers });
    gateways = [gateway];
    const callers: Caller[] = [];
    for (const server of Object.keys(servers)) {
      for (let count = 0; count < 3; count += 1) {
        const way = await sessionOver(`${gateway.url}/mcp/${server}`);
        await way.ask("tools/list", {});
        callers.push(new Caller(server, way, "quick"));
      }
    }
    const faulty = new Set<unknown>();
    loads = callers.map((caller) => caller.run(faulty));
    await until(callers, ({ answers }) => answers >= 5);
    stopped = callers.at(-1)?.pid as number;
    faulty.add(stopped);
    process.kill(stopped, "SIGSTOP");
    await until(callers, ({ elsewhere }) => elsewhere >= 20);
    expect(bad(callers, timeouts.requestMs)).toEqual([]);
  },
);
