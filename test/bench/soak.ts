import { parseArgs } from "node:util";
import { BenchSession } from "../../runtime/bench/bench-session.ts";
import { type Target, usageOf } from "../../runtime/bench/index.ts";
import { treeOf } from "../../runtime/bench/process-tree.ts";
import { growthAims } from "./claims/aims.ts";
import { Contestants } from "./contestants.ts";
import { writeFigures } from "./figures-file.ts";
import { floors, growth } from "./trend.ts";

// `npm run bench:soak`: sessions come and go for ten minutes (`--seconds`); then the trend of what the gateway holds is tested.
const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "600" },
    clients: { type: "string", default: "8" },
    json: { type: "string" },
  },
});
const seconds = Number(values.seconds);
const call = { params: '{"name":"echo","arguments":{"text":"{text}"}}', echoes: true };
const [before, after] = call.params.split("{text}") as [string, string];
/** Small, so that V8 collects often and its floor shows what stays. */
const flags = ["--max-old-space-size=128", "--max-semi-space-size=4"];
type Figure = keyof typeof growthAims;

/** What is printed, and what `--json` holds. */
export interface SoakFigures {
  readonly seconds: number;
  readonly sessions: number;
  /** Wrong answers, the first few. */
  readonly wrong: readonly string[];
  readonly wrongCount: number;
  readonly rssMb: number;
  /** What the gateway held at first and at last, and the growth of its trend. */
  readonly lines: readonly {
    readonly name: string;
    readonly first: number;
    readonly last: number;
    readonly grown: number;
    readonly bound: number;
    readonly ok: boolean;
  }[];
}

let ended = false;
const wrong: string[] = [];

/** Opens a session, calls a few times, ends it, and begins anew. */
async function client(target: Target): Promise<number> {
  let sessions = 0;
  for (; !ended; sessions += 1) {
    const session = new BenchSession(target, 10_000);
    try {
      await session.open();
      for (let calls = 0; calls < 5; calls += 1) {
        const error = await session.call(call, before, after, "soak");
        if (error !== undefined) wrong.push(error);
      }
    } catch (error) {
      wrong.push(String(error));
    }
    await session.close();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return sessions;
}

async function sample(target: Target): Promise<Record<Figure, number>> {
  const answer = await fetch(new URL("/metrics", target.url), { headers: target.headers });
  const text = await answer.text();
  const figure = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
  return {
    sessions: figure("mcp_sessions"),
    descriptors: figure("process_open_fds"),
    handles: figure("nodejs_active_resources_total"),
    children: treeOf(target.pids).length,
    heapMb: figure("nodejs_heap_size_used_bytes") / 2 ** 20,
  };
}

const contestants = new Contestants();
try {
  await contestants.upstream();
  const target = await contestants.full(flags);
  const clients = Array.from({ length: Number(values.clients) }, () => client(target));
  const samples: Record<Figure, number>[] = [];
  for (let second = 0; second < seconds; second += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    samples.push(await sample(target));
  }
  ended = true;
  const sessions = (await Promise.all(clients)).reduce((sum, count) => sum + count, 0);
  const lines = Object.entries(growthAims).map(([name, { limit: bound }]) => {
    const line = samples.map((one) => one[name as Figure]);
    const grown = growth(name === "heapMb" ? floors(line, Math.max(1, Math.floor(seconds / 15))) : line);
    return { name, first: line[0] as number, last: line.at(-1) as number, grown, bound, ok: grown <= bound };
  });
  const rssMb = usageOf(target.pids).rssKb / 1024;
  const figures: SoakFigures = {
    ...{ seconds, sessions, wrong: wrong.slice(0, 10), wrongCount: wrong.length, rssMb, lines },
  };
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  writeFigures(values.json, figures);
  if (wrong.length > 0 || lines.some(({ ok }) => !ok)) process.exitCode = 1;
} finally {
  await contestants.stop();
}
