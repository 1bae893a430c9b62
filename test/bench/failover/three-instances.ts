import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "../../../runtime/config/schema/index.ts";
import type { InstancesView } from "../../../runtime/listeners/instance-admin.ts";
import { FaultInstance } from "../../support/fault-instance.ts";
import { Serving } from "../../support/serving.ts";
import { SteadyLoad } from "../../support/steady-load.ts";

/** What callers noticed while something happened to instances. */
export interface Phase {
  readonly name: string;
  readonly sent: number;
  readonly failed: number;
  readonly retried: number;
  readonly worstMs: number;
  /** Of each instance that something happened to: how long it went on getting calls, and went without any after it was well. Absent: for good. */
  readonly instances: readonly { readonly leftOutMs?: number; readonly takenBackMs?: number }[];
}

/** Something that happens to instances for so many milliseconds. */
interface Fault {
  readonly name: string;
  readonly ms: number;
  readonly of: readonly FaultInstance[];
  readonly begin: () => unknown;
  readonly end: () => unknown;
}

/** Events after which an instance gets no calls, and after which it gets some again. */
const out = new Set(["lost", "unhealthy", "ejected", "circuit-open"]);
const back = new Set(["healthy", "returned", "circuit-closed", "ready"]);

/** Three instances under steady load: killed, stopped and slow, one after the other and all at once. */
export async function threeInstances(): Promise<readonly Phase[]> {
  const instances = await Promise.all([FaultInstance.start(), FaultInstance.start(), FaultInstance.start()]);
  const server: Server = {
    ...{ type: "custom", isolation: "shared", endpoints: instances.map(({ url }) => url) },
    ...{ timeouts: { requestMs: 10_000 }, healthCheck: { intervalMs: 2000, timeoutMs: 400 } },
  };
  const gateway = await Serving.start({ servers: { echo: server } });
  const phases: Phase[] = [];
  for (const fault of faults(instances as [FaultInstance, FaultInstance, FaultInstance])) {
    phases.push(await noticed(gateway, fault));
  }
  await gateway.stop();
  await Promise.all(instances.map((instance) => instance.kill()));
  return phases;
}

function faults([killed, hung, slow]: readonly [FaultInstance, FaultInstance, FaultInstance]): readonly Fault[] {
  const nothing = () => {};
  return [
    { name: "nothing happens", ms: 2000, of: [], begin: nothing, end: nothing },
    {
      ...{ name: "kill -9, back after 4 s", ms: 4000, of: [killed] },
      begin: () => killed.kill(),
      end: () => killed.back(),
    },
    {
      ...{ name: "SIGSTOP, SIGCONT after 6 s", ms: 6000, of: [hung] },
      begin: () => hung.signal("SIGSTOP"),
      end: () => hung.signal("SIGCONT"),
    },
    {
      ...{ name: "slow by 2 s for 6 s", ms: 6000, of: [slow] },
      begin: () => slow.delay(2000),
      end: () => slow.delay(0),
    },
    {
      ...{ name: "all three at once for 4 s", ms: 4000, of: [killed, hung, slow] },
      begin: async () => {
        hung.signal("SIGSTOP");
        await slow.delay(2000);
        await killed.kill();
      },
      end: async () => {
        await killed.back();
        hung.signal("SIGCONT");
        await slow.delay(0);
      },
    },
  ];
}

async function noticed(gateway: Serving, { name, ms, of, begin, end }: Fault): Promise<Phase> {
  const load = await SteadyLoad.start({ url: `${gateway.url}/mcp/echo`, callers: 16, pauseMs: 10, tool: "read" });
  await sleep(1000);
  const retries = () => gateway.counter("mcp_call_repeats_total", /kind="retry"/);
  const retriedBefore = await retries();
  const began = Date.now();
  await begin();
  await sleep(ms);
  const ended = Date.now();
  await end();
  await sleep(3000);
  const view = (await gateway.admin("GET", "/servers/echo/instances")) as InstancesView;
  const instances = of.map((instance) => ({
    leftOutMs: firstSince(view, instance, began, out),
    takenBackMs: firstSince(view, instance, ended, back),
  }));
  const { sent, failed, worstMs } = await load.stop();
  return { name, sent, failed, retried: (await retries()) - retriedBefore, worstMs, instances };
}

/** Milliseconds from a time to the first such event of an instance after it. */
function firstSince({ instances, events }: InstancesView, { url }: FaultInstance, since: number, of: typeof out) {
  const id = instances.find(({ address }) => address === url)?.id;
  const found = events.find(({ at, instance, event }) => Date.parse(at) >= since && instance === id && of.has(event));
  return found === undefined ? undefined : Date.parse(found.at) - since;
}
