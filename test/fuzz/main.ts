import { parseArgs } from "node:util";
import { fuzz } from "./fuzz.ts";

// `npm run fuzz -- --messages 1000000 --seed 1`: the long run; `npm test` has a short one.
const { values } = parseArgs({ options: { messages: { type: "string" }, seed: { type: "string" } } });
const outcome = await fuzz(Number(values.messages ?? 100_000), Number(values.seed ?? 1), console.log);
console.log(JSON.stringify(outcome, null, 2));
process.exitCode = outcome.wrong.length === 0 ? 0 : 1;
