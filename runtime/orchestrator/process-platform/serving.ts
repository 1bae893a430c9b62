import { setTimeout as sleep } from "node:timers/promises";
import type { Gateway } from "../../config/schema/index.ts";
import { FleetError } from "../../errors.ts";
import type { GatewayStatus } from "../../gateway.ts";
import type { AdminClient } from "./admin-client.ts";
import { lastWordsOf } from "./last-words.ts";
import type { StateFolder } from "./state-folder.ts";

const pollMs = 50;
const startTimeoutMs = 120_000;
/** Attempts after which a fleet that does not start is given up. */
const givenUpAfter = 2;

/** Who has started this process, such as a deployment engine. */
const starter = process.ppid;

/** Waits until the gateway answers and these fleets serve, or nobody `waits` any more. Rejects with INSTANCE_START_FAILED. */
export async function serving(
  state: StateFolder,
  admin: AdminClient,
  fleets: readonly string[],
  waits: () => boolean = () => true,
): Promise<GatewayStatus> {
  let last = "it did not answer";
  for (let waited = 0; waited < startTimeoutMs && waits(); waited += pollMs) {
    const status = await admin.status().catch(() => undefined);
    if (status !== undefined) {
      const waiting = fleets.filter((name) => !serves(state, status, name));
      if (waiting.length === 0) return status;
      last = `not ready: ${waiting.join(", ")}`;
    }
    // Nobody would learn what comes of it, and what was started would be nobody's.
    if (process.ppid !== starter) throw failure("what has started the deployment has gone");
    await sleep(pollMs);
  }
  throw failure(`the gateway was not up within ${startTimeoutMs / 1000} s: ${last}; see ${state.logs}`);
}

/** Throws INSTANCE_START_FAILED, with what the server said, when it is given up. */
function serves(state: StateFolder, status: GatewayStatus, name: string): boolean {
  const fleet = status.servers.find((server) => server.name === name);
  const failed = fleet?.health === "failed" && fleet.restarts >= givenUpAfter;
  if (failed || fleet?.refused !== undefined) {
    const { log } = (state.read(state.gatewayFile) ?? {}) as Gateway;
    const file = log?.file ?? state.log;
    const words = lastWordsOf(file, name);
    const said = words === undefined ? "" : `, last words: ${words}`;
    throw failure(`${fleet?.refused ?? fleet?.error ?? `${name} does not start`}${said}; see ${file}`);
  }
  return fleet?.health === "idle" || (fleet?.health === "ready" && fleet.tools !== null);
}

const failure = (message: string) => new FleetError("INSTANCE_START_FAILED", message);
