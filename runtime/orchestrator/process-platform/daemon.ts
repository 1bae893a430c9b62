import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Gateway } from "../../config/schema/index.ts";
import { FleetError } from "../../errors.ts";
import type { GatewayStatus } from "../../gateway.ts";
import { privateFolder } from "../../private-files.ts";
import { identify, isAlive, type ProcessIdentity, signalGroup } from "../process-identity.ts";
import { ProcessRecords } from "../process-records.ts";
import { AdminClient } from "./admin-client.ts";
import { lastWordsOf } from "./last-words.ts";
import { ownSocketFolder } from "./socket-folder.ts";
import type { StateFolder } from "./state-folder.ts";

const pollMs = 50;
const startTimeoutMs = 120_000;
/** Attempts after which a fleet that does not start is given up. */
const givenUpAfter = 2;
/** Beyond the gateway's own drain. */
const stopMarginMs = 5000;

/** The gateway process of one state folder: it outlives whoever starts it. */
export class Daemon {
  readonly #state: StateFolder;
  readonly #entry: string;
  readonly admin: AdminClient;

  /** `entry` is the file of the `mcp-fleet` command. */
  constructor(state: StateFolder, entry: string) {
    this.#state = state;
    this.#entry = entry;
    this.admin = new AdminClient(state.socket);
  }

  /** The running process; undefined when there is none, whatever the pid file says. */
  get running(): ProcessIdentity | undefined {
    const identity = this.#state.read(this.#state.pidFile) as ProcessIdentity | undefined;
    return identity !== undefined && isAlive(identity) ? identity : undefined;
  }

  /** Starts it and waits until these fleets serve. Rejects, and leaves nothing running, when that fails. */
  async start(fleets: readonly string[]): Promise<GatewayStatus> {
    this.sweep();
    privateFolder(this.#state.path);
    mkdirSync(this.#state.logs, { recursive: true, mode: 0o700 });
    ownSocketFolder(this.#state.socket);
    const outputFile = join(this.#state.logs, "gateway.out");
    rmSync(outputFile, { force: true });
    const output = openSync(outputFile, "wx", 0o600);
    const { path } = this.#state;
    const child = spawn(process.execPath, [...daemonFlags, this.#entry, "serve", "--config", path, "--state", path], {
      detached: true,
      stdio: ["ignore", output, output],
      env: environment(),
    });
    closeSync(output);
    child.unref();
    const exited = new Promise<never>((_, reject) => {
      child.once("error", reject);
      child.once("exit", () => reject(new FleetError("INSTANCE_START_FAILED", lastWords(outputFile))));
    });
    exited.catch(() => {});
    const identity = identify(child.pid as number);
    if (identity !== undefined) this.#state.write(this.#state.pidFile, identity);
    try {
      return await Promise.race([this.serving(fleets), exited]);
    } catch (error) {
      await this.stop();
      throw error;
    } finally {
      // Its later end is found by who looks; by then its words may have gone with its folder.
      child.removeAllListeners("exit");
    }
  }

  /** Waits until the gateway answers and these fleets serve. */
  async serving(fleets: readonly string[]): Promise<GatewayStatus> {
    let last = "it did not answer";
    for (let waited = 0; waited < startTimeoutMs; waited += pollMs) {
      const status = await this.admin.status().catch(() => undefined);
      if (status !== undefined) {
        const waiting = fleets.filter((name) => !this.#serves(status, name));
        if (waiting.length === 0) return status;
        last = `not ready: ${waiting.join(", ")}`;
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    throw new FleetError(
      "INSTANCE_START_FAILED",
      `the gateway was not up within ${startTimeoutMs / 1000} s: ${last}; see ${this.#state.logs}`,
    );
  }

  /** Throws INSTANCE_START_FAILED, with what the server said, when it is given up. */
  #serves(status: GatewayStatus, name: string): boolean {
    const fleet = status.servers.find((server) => server.name === name);
    if (fleet?.health === "failed" && fleet.restarts >= givenUpAfter) {
      const { log } = (this.#state.read(this.#state.gatewayFile) ?? {}) as Gateway;
      const file = log?.file ?? this.#state.log;
      const words = lastWordsOf(file, name);
      const said = words === undefined ? "" : `, last words: ${words}`;
      throw new FleetError("INSTANCE_START_FAILED", `${fleet.error ?? `${name} does not start`}${said}; see ${file}`);
    }
    return fleet?.health === "idle" || (fleet?.health === "ready" && fleet.tools !== null);
  }

  /** Drains it and waits for its end; kills what does not go. */
  async stop(): Promise<void> {
    const identity = this.running;
    if (identity !== undefined) {
      const gateway = this.#state.read(this.#state.gatewayFile) as { drainMs?: number } | undefined;
      const limit = (gateway?.drainMs ?? 10_000) + stopMarginMs;
      await this.admin.shutdown().catch(() => process.kill(identity.pid, "SIGTERM"));
      for (let waited = 0; waited < limit && isAlive(identity); waited += pollMs) {
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
      if (isAlive(identity)) signalGroup(identity.pid, "SIGKILL");
    }
    this.sweep();
  }

  /** Ends what a killed gateway has left. */
  sweep(): void {
    if (this.running !== undefined) return;
    new ProcessRecords(this.#state.instances).sweep();
    for (const file of [this.#state.pidFile, this.#state.socket]) rmSync(file, { force: true });
  }
}

/** A gateway is small: a modest young generation keeps its memory so, at no cost that its benchmarks show. */
const daemonFlags = ["--max-semi-space-size=1"];

/** The caller's environment without what belongs to the deployment engine, such as its passphrase. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PULUMI_")));
}

function lastWords(file: string): string {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const said = lines.filter((line) => line.startsWith("mcp-fleet: ")).map((line) => line.slice("mcp-fleet: ".length));
  return said[0] ?? `the gateway ended at once: ${lines.slice(-3).join(" | ") || "it said nothing"}`;
}
