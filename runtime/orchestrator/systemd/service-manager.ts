import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { FleetError } from "../../errors.ts";

/** A stop waits for a drain, a start for a server: the units' own time limits are shorter. */
const longestMs = 10 * 60_000;
/** Lines of a unit's log that are shown when it does not start. */
const lastLines = 5;

/** Runs one program; resolves with its exit code and what it wrote. */
export type Run = (
  command: string,
  args: readonly string[],
) => Promise<{ readonly code: number; readonly out: string; readonly err: string }>;

/** The verbs of systemctl(1) that a deployment needs, of the machine's own service manager. */
export class ServiceManager {
  readonly #run: Run;
  readonly #booted: () => boolean;

  constructor(run: Run = runCommand, booted = () => existsSync("/run/systemd/system")) {
    this.#run = run;
    this.#booted = booted;
  }

  /** Is systemd this machine's service manager (sd_booted(3))? */
  get booted(): boolean {
    return this.#booted();
  }

  /** Reads the unit files again. */
  async reload(): Promise<void> {
    await this.#systemctl("daemon-reload");
  }

  /** From now on started with the machine. */
  async enable(unit: string): Promise<void> {
    await this.#systemctl("enable", "--quiet", unit);
  }

  async disable(unit: string): Promise<void> {
    await this.#systemctl("disable", "--quiet", unit);
  }

  /** Starts it anew, and waits until it serves. Rejects with INSTANCE_START_FAILED and the last lines of its log. */
  async restart(unit: string): Promise<void> {
    const { code, err } = await this.#run("systemctl", ["restart", unit]);
    if (code === 0) return;
    const log = await this.#run("journalctl", [
      "--unit",
      unit,
      "--lines",
      `${lastLines}`,
      "--output=cat",
      "--no-pager",
    ]);
    const said = log.out.trim().split("\n").join(" | ") || err.trim();
    throw new FleetError("INSTANCE_START_FAILED", `${unit} does not start: ${said}; see journalctl --unit ${unit}`);
  }

  /** Ends it, waits for its drain, and forgets that it may have failed. */
  async stop(unit: string): Promise<void> {
    await this.#systemctl("stop", unit);
    // Nothing to forget is no failure.
    await this.#run("systemctl", ["reset-failed", unit]);
  }

  /** Removes what a service that has ended has kept: the folder of its state, if it has one. */
  async clean(unit: string): Promise<void> {
    await this.#run("systemctl", ["clean", "--what=state", unit]);
  }

  async isActive(unit: string): Promise<boolean> {
    return (await this.#run("systemctl", ["is-active", "--quiet", unit])).code === 0;
  }

  async #systemctl(...args: string[]): Promise<void> {
    const { code, err } = await this.#run("systemctl", args);
    if (code === 0) return;
    throw new FleetError("INSTANCE_START_FAILED", `systemctl ${args.join(" ")} failed: ${err.trim()}`);
  }
}

function runCommand(command: string, args: readonly string[]): ReturnType<Run> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: longestMs, maxBuffer: 1 << 24 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code) || 1, out, err: err || (error?.message ?? "") });
    });
  });
}
