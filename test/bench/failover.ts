import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "../../runtime/config/schema/index.ts";
import type { InstancesView } from "../../runtime/listeners/instance-admin.ts";
import type { WorkerStatus } from "../../runtime/workers/index.ts";
import { FaultInstance } from "../support/fault-instance.ts";
import { Serving } from "../support/serving.ts";
import { PlainClient, SteadyLoad } from "../support/steady-load.ts";

// `npm run bench:failover`: what callers notice while instances are killed, stopped and slowed down; what old sessions notice
// of a restart; and what nineteen servers notice of a dead twentieth. Processes of their own, 127.0.0.1, about a minute.
const seconds = (n: number) => sleep(1000 * n);

/** Events after which an instance gets no calls, and after which it gets some again. */
const out = new Set(["lost", "unhealthy", "ejected", "circuit-open"]);
const back = new Set(["healthy", "returned", "circuit-closed", "ready"]);

/** Milliseconds from a time to the first such event of an instance after it. */
function firstSince({ instances, events }: InstancesView, { url }: FaultInstance, since: number, of: typeof out) {
  const id = instances.find(({ address }) => address === url)?.id;
  const found = events.find(({ at, instance, event }) => Date.parse(at) >= since && instance === id && of.has(event));
  return found === undefined ? undefined : Date.parse(found.at) - since;
}

async function threeInstances() {
  const instances = await Promise.all([FaultInstance.start(), FaultInstance.start(), FaultInstance.start()]);
  const [killed, hung, slow] = instances as [FaultInstance, FaultInstance, FaultInstance];
  const server: Server = {
    ...{ type: "custom", isolation: "shared", endpoints: instances.map(({ url }) => url) },
    ...{ timeouts: { requestMs: 10_000 }, healthCheck: { intervalMs: 2000, timeoutMs: 400 } },
  };
  const gateway = await Serving.start({ servers: { echo: server } });
  const phases: Record<string, unknown>[] = [];
  const phase = async (
    name: string,
    ms: number,
    begin: () => unknown,
    end: () => unknown,
    of: readonly FaultInstance[] = [],
  ) => {
    const load = await SteadyLoad.start({ url: `${gateway.url}/mcp/echo`, callers: 16, pauseMs: 10, tool: "read" });
    await sleep(1000);
    const retriedBefore = await gateway.counter("mcp_call_repeats_total", /kind="retry"/);
    const began = Date.now();
    await begin();
    await sleep(ms);
    const ended = Date.now();
    await end();
    await seconds(3);
    const view = (await gateway.admin("GET", "/servers/echo/instances")) as InstancesView;
    const times = of.map((instance) => ({
      leftOutMs: firstSince(view, instance, began, out),
      takenBackMs: firstSince(view, instance, ended, back),
    }));
    const { sent, failed, worstMs } = await load.stop();
    const retried = (await gateway.counter("mcp_call_repeats_total", /kind="retry"/)) - retriedBefore;
    phases.push({ name, sent, failed, retried, worstMs, ...(times.length === 0 ? {} : { instances: times }) });
  };
  const nothing = () => {};
  await phase("nothing happens", 2000, nothing, nothing);
  await phase(
    "kill -9, back after 4 s",
    4000,
    () => killed.kill(),
    () => killed.back(),
    [killed],
  );
  await phase(
    "SIGSTOP, SIGCONT after 6 s",
    6000,
    () => hung.signal("SIGSTOP"),
    () => hung.signal("SIGCONT"),
    [hung],
  );
  await phase(
    "slow by 2 s for 6 s",
    6000,
    () => slow.delay(2000),
    () => slow.delay(0),
    [slow],
  );
  await phase(
    "all three at once for 4 s",
    4000,
    async () => {
      hung.signal("SIGSTOP");
      await slow.delay(2000);
      await killed.kill();
    },
    async () => {
      await killed.back();
      hung.signal("SIGCONT");
      await slow.delay(0);
    },
    instances,
  );
  await gateway.stop();
  await Promise.all(instances.map((instance) => instance.kill()));
  return phases;
}

/** Two workers, each killed in turn; callers send a call again only when its connection broke, as HTTP clients do. */
async function workersKilled() {
  const server = await FaultInstance.start();
  const gateway = await Serving.start(
    {
      gateway: { workers: 2 },
      servers: { echo: { type: "custom", isolation: "shared", endpoints: [server.url] } },
    },
    "workers serve",
  );
  const load = await SteadyLoad.start({
    ...{ url: `${gateway.url}/mcp/echo`, callers: 16, pauseMs: 10, tool: "read", again: true },
  });
  await seconds(1);
  // Each worker serves for longer than ten seconds, after which its end is answered with a start at once.
  const kills = 6;
  for (let kill = 0; kill < kills; kill += 1) {
    const { workers } = await gateway.status();
    process.kill((workers.find(({ slot }) => slot === kill % 2) as WorkerStatus).pid, "SIGKILL");
    await seconds(6);
  }
  const figures = await load.stop();
  await gateway.stop();
  await server.kill();
  return { kills, ...figures };
}

async function restart() {
  const only = await FaultInstance.start();
  const gateway = await Serving.start({
    servers: { echo: { type: "custom", isolation: "session", endpoints: [only.url] } },
  });
  const clients = await Promise.all(Array.from({ length: 50 }, () => PlainClient.open(`${gateway.url}/mcp/echo`)));
  await Promise.all(clients.map((client) => client.call("write")));
  await only.kill();
  await seconds(2);
  await only.back();
  const times: number[] = [];
  let failed = 0;
  for (const client of clients) {
    const began = performance.now();
    await client.call("write").catch(() => (failed += 1));
    times.push(performance.now() - began);
  }
  await gateway.stop();
  await only.kill();
  times.sort((a, b) => a - b);
  const at = (share: number) => Math.round((times[Math.floor(times.length * share)] as number) * 10) / 10;
  return { sessions: clients.length, failedFirstCalls: failed, medianMs: at(0.5), worstMs: at(0.99) };
}

async function oneDead() {
  const [many, last] = await Promise.all([FaultInstance.start(), FaultInstance.start()]);
  const names = Array.from({ length: 20 }, (_, index) => `s${index + 1}`);
  const gateway = await Serving.start({
    servers: Object.fromEntries(
      names.map((name) => {
        const endpoints = [name === "s20" ? last.url : `${many.url}/${name}`];
        return [name, { type: "custom", isolation: "shared", endpoints, timeouts: { requestMs: 5000 } }];
      }),
    ),
  });
  const client = await PlainClient.open(`${gateway.url}/mcp`);
  await client.tools();
  const p99 = async () => {
    const times = { list: [] as number[], call: [] as number[] };
    for (let round = 0; round < 600; round += 1) {
      let began = performance.now();
      await client.tools();
      times.list.push(performance.now() - began);
      began = performance.now();
      await client.call(`s${1 + (round % 19)}__read`, { round });
      times.call.push(performance.now() - began);
    }
    const at = (values: number[]) => Math.round((values.sort((a, b) => a - b)[593] as number) * 100) / 100;
    return { list: at(times.list), call: at(times.call) };
  };
  await p99();
  const rounds = [];
  // Rounds of p99 differ by more than what is looked for: their medians are compared.
  for (let round = 0; round < 9; round += 1) {
    last.signal("SIGCONT");
    await sleep(300);
    const alive = await p99();
    last.signal("SIGSTOP");
    rounds.push({ alive, hung: await p99() });
  }
  await last.kill();
  rounds.push({ killed: await p99() });
  await gateway.stop();
  await many.kill();
  return rounds;
}

console.log(JSON.stringify({ failover: await threeInstances() }, null, 1));
console.log(JSON.stringify({ workersKilled: await workersKilled() }, null, 1));
console.log(JSON.stringify({ restart: await restart() }, null, 1));
console.log(JSON.stringify({ oneDeadOfTwentyP99Ms: await oneDead() }, null, 1));
