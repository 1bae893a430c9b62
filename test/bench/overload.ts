import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Agent, setGlobalDispatcher } from "undici";
import { FaultInstance } from "../support/fault-instance.ts";
import { Serving } from "../support/serving.ts";
import { PlainClient } from "../support/steady-load.ts";
import { writeFigures } from "./figures-file.ts";

// `npm run bench:overload`: a server that can answer 40 calls a second (4 at a time, 100 ms each) behind a gateway
// that lets 4 go at a time and 4 wait. The same open load at half its capacity, at five times for a minute (`--seconds`), and
// at half again. Processes of their own, 127.0.0.1.
const { values } = parseArgs({ options: { seconds: { type: "string", default: "60" }, json: { type: "string" } } });
const capacity = 40;
setGlobalDispatcher(new Agent({ connections: 512 }));

const server = await FaultInstance.start({ WORK_MS: "100", WORKERS: "4" });
const gateway = await Serving.start({
  servers: {
    echo: {
      ...{ type: "custom", isolation: "shared", endpoints: [server.url] },
      concurrency: { maxInFlight: 4, maxQueue: 4, queueMs: 1000 },
    },
  },
});
const clients = await Promise.all(Array.from({ length: 16 }, () => PlainClient.open(`${gateway.url}/mcp/echo`)));

/** What came of one load. Latencies in milliseconds, memory at its most in MB. */
interface Loaded {
  readonly offeredPerSecond: number;
  readonly goodPerSecond: number;
  readonly refused: number;
  readonly failedOtherwise: number;
  readonly good: { readonly p50: number; readonly p99: number };
  readonly refusedMs: { readonly p50: number; readonly p99: number };
  readonly rssMb: number;
}

/** What is printed, and what `--json` holds. */
export interface OverloadFigures {
  readonly before: Loaded;
  readonly maximum: Loaded;
  readonly overload: Loaded;
  readonly after: Loaded;
}

interface Times {
  readonly good: number[];
  readonly refused: number[];
  failed: number;
}
const quantile = (values: number[], share: number) => {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 10) / 10;
};

/** Calls at a fixed rate, whatever becomes of them. */
async function load(rate: number, forSeconds: number): Promise<Loaded> {
  const times: Times = { good: [], refused: [], failed: 0 };
  const open = new Set<Promise<void>>();
  const began = performance.now();
  let sent = 0;
  let rssMb = 0;
  const call = async (n: number) => {
    const at = performance.now();
    try {
      await (clients[n % clients.length] as PlainClient).call("write", { n });
      times.good.push(performance.now() - at);
    } catch (error) {
      const { data } = error as { data?: { code?: string } };
      if (data?.code === "OVERLOADED") times.refused.push(performance.now() - at);
      else times.failed += 1;
    }
  };
  while (performance.now() - began < forSeconds * 1000) {
    const due = Math.floor(((performance.now() - began) / 1000) * rate);
    for (; sent < due; sent += 1) {
      const answer: Promise<void> = call(sent).finally(() => open.delete(answer));
      open.add(answer);
    }
    rssMb = Math.max(rssMb, gateway.rssMb);
    await sleep(5);
  }
  const elapsed = (performance.now() - began) / 1000;
  const goodPerSecond = Math.round(times.good.length / elapsed);
  await Promise.all(open);
  return {
    ...{ offeredPerSecond: Math.round(sent / elapsed), goodPerSecond, refused: times.refused.length },
    ...{ failedOtherwise: times.failed, good: { p50: quantile(times.good, 0.5), p99: quantile(times.good, 0.99) } },
    ...{ refusedMs: { p50: quantile(times.refused, 0.5), p99: quantile(times.refused, 0.99) }, rssMb },
  };
}

const before = await load(capacity / 2, 5);
const maximum = await load(capacity, 10);
const overload = await load(capacity * 5, Number(values.seconds));
await sleep(2000);
const after = await load(capacity / 2, 5);
const figures: OverloadFigures = { before, maximum, overload, after };
console.log(JSON.stringify(figures, null, 1));
writeFigures(values.json, figures);
await gateway.stop();
await server.kill();
