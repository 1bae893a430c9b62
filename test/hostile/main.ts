import { parseArgs } from "node:util";
import { type Fault, faults } from "./faults.ts";
import { hostile } from "./hostile.ts";

// `npm run hostile -- --messages 1000000 --seed 1`: the long run; `npm test` has a short one. `--fault doubled` and
// `--server stdio` play only that, to find out which one it was.
const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    fault: { type: "string", multiple: true },
    server: { type: "string" },
  },
});
const unknown = values.fault?.find((fault) => !(fault in faults));
if (unknown !== undefined) throw new Error(`--fault ${unknown} is none; there are: ${Object.keys(faults).join(", ")}`);
const outcome = await hostile({
  messages: Number(values.messages),
  seed: Number(values.seed),
  log: console.log,
  only: { faults: values.fault as Fault[] | undefined, server: values.server },
});
console.log(JSON.stringify(outcome, null, 2));
const { health, left, wrong } = outcome;
const clean = left.calls + left.resources.length + left.processes + left.sockets.length === 0;
process.exitCode = clean && wrong.length === 0 && health.misses + health.failures === 0 ? 0 : 1;
