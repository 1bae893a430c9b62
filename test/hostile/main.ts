import { parseArgs } from "node:util";
import { hostile } from "./hostile.ts";

// `npm run hostile -- --messages 1000000 --seed 1`: the long run; `npm test` has a short one.
const { values } = parseArgs({ options: { messages: { type: "string" }, seed: { type: "string" } } });
const outcome = await hostile(Number(values.messages ?? 1_000_000), Number(values.seed ?? 1), console.log);
console.log(JSON.stringify(outcome, null, 2));
const { health, left, wrong } = outcome;
const clean = left.calls + left.resources.length + left.processes + left.sockets === 0;
process.exitCode = clean && wrong.length === 0 && health.misses + health.failures === 0 ? 0 : 1;
