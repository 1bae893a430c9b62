import { afterEach, expect, test } from "@jest/globals";
import type { Server } from "../../runtime/config/schema/index.ts";
import { FaultInstance } from "../support/fault-instance.ts";
import { TestGateway } from "../support/gateway.ts";
import { sessionOver, statelessOver, type Way } from "../support/ways-in.ts";

// One of three instances hangs, is killed or becomes slow, for every isolation, clients and servers of both eras, callers with
// and without a name. All of them are there at once, so that one fault tells about all.
const requestMs = 4000;
const isolations = ["shared", "caller", "session"] as const;
const eras = ["legacy", "modern"] as const;
const token = "token-of-anna";

let gateways: TestGateway[] = [];
let instances: FaultInstance[] = [];
let over = false;
let loads: Promise<unknown>[] = [];
afterEach(async () => {
  over = true;
  for (const instance of instances) instance.signal("SIGCONT");
  await Promise.all(loads);
  await Promise.all(gateways.map((gateway) => gateway.close()));
  await Promise.all(instances.map((instance) => instance.kill()));
  gateways = [];
  instances = [];
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
  readonly #way: Way;

  constructor(name: string, way: Way) {
    this.name = name;
    this.#way = way;
  }

  async run(faulty: ReadonlySet<unknown>): Promise<void> {
    while (!over) {
      const began = performance.now();
      const { result, error } = await this.#way.ask("tools/call", { name: "read", arguments: {} });
      this.worstMs = Math.max(this.worstMs, performance.now() - began);
      this.answers += 1;
      if (error !== undefined) this.failures.push(error.message);
      else {
        const { pid } = JSON.parse((result as { content: { text: string }[] }).content[0]?.text as string);
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

test.each(Object.keys(faults))(
  "one of three instances %s: no call that may be repeated fails or is late, and nobody stays there",
  async (fault) => {
    over = false;
    const callers = await start();
    const faulty = new Set<unknown>();
    loads = callers.map((caller) => caller.run(faulty));
    const until = async (done: (caller: Caller) => boolean) => {
      while (!callers.every(done)) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await until(({ answers }) => answers >= 5);
    // One of each era.
    for (const instance of [instances[0], instances[3]] as FaultInstance[]) {
      faulty.add(instance.pid);
      await faults[fault]?.(instance);
    }
    await until(({ elsewhere }) => elsewhere >= 30);
    const bad = callers.filter(({ failures, worstMs }) => failures.length > 0 || worstMs > requestMs);
    expect(bad.map(({ name, failures, worstMs }) => ({ name, failures, worstMs }))).toEqual([]);
  },
);
