import { rmSync, symlinkSync } from "node:fs";
import type { GatewayStatus } from "../../gateway.ts";
import { idleMs } from "../../listeners/http-server.ts";
import { canSharePort } from "../../listeners/shared-port.ts";
import { isAlive } from "../process-identity.ts";
import { ProcessRecords } from "../process-records.ts";
import { AdminClient } from "./admin-client.ts";
import { DaemonProcess, type DaemonRecord, goneWithin } from "./daemon-process.ts";
import { serving } from "./serving.ts";
import type { StateFolder } from "./state-folder.ts";

/** Beyond the gateway's own drain. */
const stopMarginMs = 5000;

/** The gateway process of one state folder: it outlives whoever starts it. */
export class Daemon {
  readonly #state: StateFolder;
  readonly #entry: string;

  /** `entry` is the file of the `mcp-fleet` command. */
  constructor(state: StateFolder, entry: string) {
    this.#state = state;
    this.#entry = entry;
  }

  /** The running process; undefined when there is none, whatever the pid file says. */
  get running(): DaemonRecord | undefined {
    const record = this.#state.read(this.#state.pidFile) as DaemonRecord | undefined;
    return record !== undefined && isAlive(record) ? record : undefined;
  }

  get admin(): AdminClient {
    return new AdminClient(this.running?.socket ?? this.#state.socket);
  }

  /** Can another process take over without a gap? Not from one of an earlier version, nor where two cannot share a port. */
  get canBeFollowed(): boolean {
    return canSharePort && this.running?.socket !== undefined;
  }

  /** Starts it and waits until these fleets serve. Rejects, and leaves nothing running, when that fails. */
  async start(fleets: readonly string[]): Promise<GatewayStatus> {
    await this.sweep();
    const [socket] = this.#state.daemonSockets;
    const fresh = DaemonProcess.start(this.#state, { entry: this.#entry, socket, follows: false });
    try {
      this.#inCharge(fresh.record);
      const status = await fresh.serving(fleets);
      await fresh.keep();
      return status;
    } catch (error) {
      await fresh.end(this.#drainMs);
      await this.sweep();
      throw error;
    }
  }

  /**
   * Starts another process beside the one that runs, on the same port; the old one goes when the new one serves these fleets. Rejects,
   * and leaves the old one as it is, when that fails.
   */
  async replace(fleets: readonly string[]): Promise<GatewayStatus> {
    const old = this.running as DaemonRecord;
    const before = this.admin;
    const [first, second] = this.#state.daemonSockets;
    const socket = old.socket === first ? second : first;
    const limitMs = this.#drainMs + idleMs;
    const needed = await this.needed(fleets);
    const port = await this.#portToKeep();
    const fresh = DaemonProcess.start(this.#state, { entry: this.#entry, socket, follows: true, port });
    let status: GatewayStatus;
    try {
      await fresh.serving(needed);
      status = await fresh.admin.listen();
    } catch (error) {
      await fresh.end(this.#drainMs);
      throw error;
    }
    this.#inCharge(fresh.record);
    await Promise.all([before.retire().catch(() => process.kill(old.pid, "SIGTERM")), fresh.keep()]);
    await goneWithin(old, limitMs);
    return status;
  }

  /** Waits until the gateway answers and these fleets serve. */
  serving(fleets: readonly string[]): Promise<GatewayStatus> {
    return serving(this.#state, this.admin, fleets);
  }

  /** Drains it and waits for its end; kills what does not go. */
  async stop(): Promise<void> {
    const record = this.running;
    if (record !== undefined) {
      await this.admin.shutdown().catch(() => process.kill(record.pid, "SIGTERM"));
      await goneWithin(record, this.#drainMs);
    }
    await this.sweep();
  }

  /** Ends what a killed gateway has left. */
  async sweep(): Promise<void> {
    if (this.running !== undefined) return;
    await new ProcessRecords(this.#state.instances).sweep();
    const { pidFile, socket, daemonSockets } = this.#state;
    for (const file of [pidFile, socket, ...daemonSockets]) rmSync(file, { force: true });
  }

  /** Of these fleets, those that must serve after a change: not those that fail before it too. */
  async needed(fleets: readonly string[]): Promise<string[]> {
    const status = await this.admin.status().catch(() => undefined);
    const failing = new Set(status?.servers.filter(({ health }) => health === "failed").map(({ name }) => name));
    return fleets.filter((name) => !failing.has(name));
  }

  /** The free port that was found for the running process, where the settings ask for any. */
  async #portToKeep(): Promise<number | undefined> {
    const { port } = (this.#state.read(this.#state.gatewayFile) ?? {}) as { port?: number };
    if (port !== 0) return undefined;
    const { url } = await this.admin.status();
    return url === undefined ? undefined : Number(new URL(url).port);
  }

  #inCharge(record: DaemonRecord): void {
    const { socket, pidFile } = this.#state;
    this.#state.write(pidFile, record);
    rmSync(socket, { force: true });
    symlinkSync(record.socket as string, socket);
  }

  get #drainMs(): number {
    const gateway = this.#state.read(this.#state.gatewayFile) as { drainMs?: number } | undefined;
    return (gateway?.drainMs ?? 10_000) + stopMarginMs;
  }
}
