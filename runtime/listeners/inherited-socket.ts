import { FleetError } from "../errors.ts";

/** The first descriptor that a service manager hands over (`SD_LISTEN_FDS_START` of sd_listen_fds(3)). */
const firstDescriptor = 3;

/**
 * The listening socket that a service manager has handed over to this process (socket activation, sd_listen_fds(3)): connections wait
 * in it while the gateway is started anew. Undefined without one, also where it was another process's. Throws CONFIG_INVALID for more
 * than one: the gateway has one port.
 */
export function inheritedSocket(
  { LISTEN_PID, LISTEN_FDS }: NodeJS.ProcessEnv = process.env,
  pid = process.pid,
): number | undefined {
  if (LISTEN_FDS === undefined || Number(LISTEN_PID) !== pid) return undefined;
  if (LISTEN_FDS === "1") return firstDescriptor;
  const message = `LISTEN_FDS: is ${LISTEN_FDS}, but the gateway takes one socket; keep one ListenStream= in its socket unit`;
  throw new FleetError("CONFIG_INVALID", message);
}
