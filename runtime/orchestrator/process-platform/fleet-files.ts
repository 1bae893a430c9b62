import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { FleetError } from "../../errors.ts";
import { ownerOf } from "./folder-owner.ts";
import type { StateFolder } from "./state-folder.ts";

/**
 * The files of fleets in a state folder. The gateway serves those of `servers/`; a fleet that it has not been given waits in
 * `fleets/`, where nobody can call it.
 */
export class FleetFiles {
  readonly #state: StateFolder;

  constructor(state: StateFolder) {
    this.#state = state;
  }

  /** Does the gateway serve this fleet, or will it when the fleet is there again? */
  serves(name: string): boolean {
    return existsSync(this.#state.serverFile(name)) || (ownerOf(this.#state)?.fleets.includes(name) ?? false);
  }

  read(name: string): unknown {
    return this.#state.read(this.#state.serverFile(name)) ?? this.#state.read(this.#state.waitingFile(name));
  }

  write(name: string, server: unknown): void {
    const { serverFile, waitingFile } = this.#paths(name);
    this.#state.write(this.serves(name) ? serverFile : waitingFile, server);
    if (this.serves(name)) rmSync(waitingFile, { force: true });
  }

  remove(name: string): void {
    for (const file of Object.values(this.#paths(name))) rmSync(file, { force: true });
  }

  /** Names of those that lie in `servers/`. */
  get served(): string[] {
    return this.#state.names(this.#state.servers);
  }

  /** Has the gateway serve these fleets and no others. Throws CONFIG_INVALID for a fleet of another folder. Returns what undoes it. */
  assign(names: readonly string[]): () => void {
    const before = this.served;
    const missing = names.filter((name) => this.read(name) === undefined);
    if (missing.length > 0) throw elsewhere(this.#state.path, missing);
    this.#serve(names);
    return () => this.#serve(before);
  }

  #serve(names: readonly string[]): void {
    for (const name of this.served.filter((one) => !names.includes(one))) {
      const { serverFile, waitingFile } = this.#paths(name);
      move(serverFile, waitingFile);
    }
    for (const name of names) {
      const { serverFile, waitingFile } = this.#paths(name);
      if (existsSync(waitingFile)) move(waitingFile, serverFile);
    }
  }

  #paths(name: string): { serverFile: string; waitingFile: string } {
    return { serverFile: this.#state.serverFile(name), waitingFile: this.#state.waitingFile(name) };
  }
}

function move(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  renameSync(from, to);
}

function elsewhere(folder: string, names: readonly string[]): FleetError {
  const fix = "give a gateway and its fleets the same process.stateDirectory";
  const list = names.map((name) => `"${name}"`).join(", ");
  const be = names.length === 1 ? "is" : "are";
  return new FleetError("CONFIG_INVALID", `fleets: ${list} ${be} not in the state folder ${folder}; ${fix}`);
}
