import { isDeepStrictEqual } from "node:util";
import type { Gateway } from "../../config/schema/index.ts";
import { FleetError, messageOf } from "../../errors.ts";
import type { GatewayStatus } from "../../gateway.ts";
import type { Daemon } from "./daemon.ts";
import { isLiveChange } from "./live-change.ts";
import type { StateFolder } from "./state-folder.ts";

export interface GatewayChangeOptions {
  readonly state: StateFolder;
  readonly daemon: Daemon;
  /** What the gateway's file said before; undefined where there was none. */
  readonly before: Gateway | undefined;
  /** Fleets that must serve. */
  readonly fleets: readonly string[];
}

/** Brings what is written in a state folder into force, by the cheapest way that there is; what served goes on serving. */
export class GatewayChange {
  readonly #options: GatewayChangeOptions;

  constructor(options: GatewayChangeOptions) {
    this.#options = options;
  }

  /** Rejects when it cannot be; the gateway that served before serves then. */
  async apply(): Promise<GatewayStatus> {
    const { state, daemon, before, fleets } = this.#options;
    if (daemon.running === undefined) return daemon.start(fleets);
    const next = state.read(state.gatewayFile) as Gateway;
    const live = before !== undefined && (isDeepStrictEqual(next, before) || isLiveChange(next, before));
    if (live) {
      const needed = await daemon.needed(fleets);
      if (await this.#reloads()) return daemon.serving(needed);
    }
    if (!daemon.canBeFollowed) return this.#restart();
    try {
      return await daemon.replace(fleets);
    } catch (error) {
      throw failure(error, "the gateway before it goes on");
    }
  }

  /** Its environment can lack what the settings refer to now; a new process has the one of today. */
  async #reloads(): Promise<boolean> {
    try {
      await this.#options.daemon.admin.reload();
      return true;
    } catch {
      return false;
    }
  }

  async #restart(): Promise<GatewayStatus> {
    const { state, daemon, before, fleets } = this.#options;
    await daemon.stop();
    try {
      return await daemon.start(fleets);
    } catch (error) {
      if (before === undefined) throw error;
      state.write(state.gatewayFile, before);
      const again = await daemon.start([]).then(
        () => "the gateway before it serves again",
        (reason) => `the gateway before it could not be started again (${messageOf(reason)})`,
      );
      throw failure(error, again);
    }
  }
}

const failure = (error: unknown, then: string) =>
  new FleetError("INSTANCE_START_FAILED", `${messageOf(error)}; ${then}`, { cause: error });
