import { FleetError, messageOf } from "../errors.ts";
import { type RunningGateway, startGateway } from "../gateway.ts";
import type { RefusedChange } from "../registry/fleet-registry.ts";
import { FailureChannel } from "./failure-channel.ts";
import { Roster } from "./roster.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

/** A worker process: a gateway that does what its supervisor says. It ends when the supervisor does. */
const roster = Promise.withResolvers<Roster>();
const running = Promise.withResolvers<RunningGateway>();
running.promise.catch(() => {});

const tell = (message: FromWorker) =>
  new Promise<void>((resolve) => process.send?.(message, undefined, {}, () => resolve()));

const failures = new FailureChannel((network) => void tell({ kind: "failure", network }));

async function start({
  slot,
  place,
  sockets,
  config,
  secrets,
  stateDirectory,
  succession,
}: ToWorker & { kind: "start" }): Promise<void> {
  const own = new Roster(slot, place.socket);
  own.update(sockets);
  roster.resolve(own);
  try {
    const options = { config, secrets, stateDirectory, succession, failures, place: { ...place, roster: own } };
    const gateway = await startGateway(options);
    running.resolve(gateway);
    await tell({ kind: "listening", url: gateway.url, tcpPort: gateway.tcpPort });
  } catch (error) {
    const code = error instanceof FleetError ? error.code : undefined;
    await tell({ kind: "failed", code, message: messageOf(error) });
    process.exit(1);
  }
}

async function apply({ config, secrets }: ToWorker & { kind: "apply" }): Promise<readonly RefusedChange[]> {
  try {
    return await (await (await running.promise).apply(config, secrets)).changes;
  } catch {
    // The log says why it cannot be applied, and the supervisor finds out for itself.
    return [];
  }
}

async function drain(lingerMs?: number): Promise<void> {
  await (await running.promise).close(lingerMs);
  process.exit(0);
}

process.on("message", async (message: ToWorker) => {
  if (message.kind === "start") await start(message);
  else if (message.kind === "roster") (await roster.promise).update(message.sockets);
  else if (message.kind === "apply") {
    await tell({ kind: "applied", id: message.id, refused: await apply(message) });
  } else if (message.kind === "failure") failures.hear(message.network);
  else if (message.kind === "drain") await drain(message.lingerMs);
});
process.on("SIGTERM", () => void drain());
// A terminal's Ctrl-C reaches the whole group; the supervisor decides.
process.on("SIGINT", () => {});
process.on("SIGHUP", () => {});
