import { parseArgs } from "node:util";
import { busyHour } from "./hour.ts";

// `npm run busy-hour`: fifty clients at ten real servers. `MCP_PYTHON` names a Python with the servers of PyPI.
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    clients: { type: "string", default: "50" },
    "block-seconds": { type: "string", default: "60" },
    "pause-ms": { type: "string", default: "12000" },
    "idle-ms": { type: "string", default: "180000" },
    seed: { type: "string", default: "1" },
  },
});
if (process.env.MCP_PYTHON === undefined) throw new Error("MCP_PYTHON is not set; see docs/testing.md");
const outcome = await busyHour({
  minutes: Number(values.minutes),
  clients: Number(values.clients),
  blockSeconds: Number(values["block-seconds"]),
  pauseMs: Number(values["pause-ms"]),
  idleMs: Number(values["idle-ms"]),
  leavesParked: true,
  seed: Number(values.seed),
  log: console.log,
});
console.log(JSON.stringify(outcome, null, 2));
process.exitCode = outcome.problems.length === 0 ? 0 : 1;
