import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { FaultInstance } from "../../support/fault-instance.ts";
import { Serving } from "../../support/serving.ts";
import { PlainClient } from "../../support/steady-load.ts";
import { type Spread, spreadOf } from "./spread.ts";

/** 99th percentiles in milliseconds of one round. */
export interface Tails {
  readonly list: number;
  readonly call: number;
}

/** Figures of rounds while the twentieth server is alive and while it hangs. */
interface Compared {
  readonly alive: Spread;
  readonly hung: Spread;
}

/** What the federated list and the calls to nineteen servers notice of the twentieth. */
export interface OneHanging {
  readonly list: Compared;
  readonly call: Compared;
  readonly rounds: readonly { readonly alive: Tails; readonly hung: Tails }[];
  /** One round after it was killed. */
  readonly killed: Tails;
}

const calls = 600;

/** Twenty servers, the last one in a process of its own, which hangs every other time. Rounds of p99 differ by more than what is looked for: their medians are compared. */
export async function oneHanging(rounds: number): Promise<OneHanging> {
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
  await tails(client);
  const measured: { alive: Tails; hung: Tails }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    last.signal("SIGCONT");
    await sleep(300);
    const alive = await tails(client);
    last.signal("SIGSTOP");
    measured.push({ alive, hung: await tails(client) });
  }
  await last.kill();
  const killed = await tails(client);
  await gateway.stop();
  await many.kill();
  return { list: compared(measured, "list"), call: compared(measured, "call"), rounds: measured, killed };
}

async function tails(client: PlainClient): Promise<Tails> {
  const list: number[] = [];
  const call: number[] = [];
  for (let round = 0; round < calls; round += 1) {
    let began = performance.now();
    await client.tools();
    list.push(performance.now() - began);
    began = performance.now();
    await client.call(`s${1 + (round % 19)}__read`, { round });
    call.push(performance.now() - began);
  }
  const p99 = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(calls * 0.99) - 1] as number;
  return { list: Math.round(p99(list) * 100) / 100, call: Math.round(p99(call) * 100) / 100 };
}

function compared(rounds: OneHanging["rounds"], of: keyof Tails): Compared {
  return { alive: spreadOf(rounds.map(({ alive }) => alive[of])), hung: spreadOf(rounds.map(({ hung }) => hung[of])) };
}
