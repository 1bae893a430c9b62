import { FleetError } from "../errors.ts";
import type { Fleet } from "./fleet.ts";

/** The server answers: a person has to log in first, or all of its places are taken. */
const there = new Set(["UPSTREAM_LOGIN_NEEDED", "POOL_EXHAUSTED"]);

/**
 * Resolves when a fleet serves and its tools are known, or when nothing but somebody else is missing. Rejects with why it does not
 * serve, within about `timeouts.connectMs`.
 */
export async function proven(fleet: Fleet): Promise<void> {
  const began = performance.now();
  try {
    await fleet.listTools();
  } catch (error) {
    if (error instanceof FleetError && there.has(error.code)) return;
    // What ends at once is given a second chance, what hangs is not.
    if (performance.now() - began > fleet.server.timeouts.connectMs / 2) throw error;
    await fleet.listTools();
  }
}
