import { once } from "node:events";
import { connect } from "node:net";
import { FleetError } from "../../errors.ts";
import type { ServiceManager } from "./service-manager.ts";
import type { Texts, UnitFolder } from "./unit-folder.ts";

/** What there is of a component: its unit files, its own files, and the units that run. */
export interface UnitSet {
  readonly units: Texts;
  readonly files: Texts;
  readonly instances: readonly string[];
}

export interface UnitRolloutOptions {
  readonly manager: ServiceManager;
  readonly units: UnitFolder;
  readonly files: UnitFolder;
  readonly progress: (line: string) => void;
}

const pollMs = 100;
const listenTimeoutMs = 120_000;

/**
 * From one set of units to another: what has not changed goes on, what has is started anew, one unit after the other, each only when
 * the one before it serves. When one does not, the old files come back and what was touched runs with them again.
 */
export class UnitRollout {
  readonly #options: UnitRolloutOptions;

  constructor(options: UnitRolloutOptions) {
    this.#options = options;
  }

  /** Rejects with INSTANCE_START_FAILED, after going back. `addresses` are waited for after a start. */
  async change(before: UnitSet, after: UnitSet, addresses: Readonly<Record<string, string>>): Promise<void> {
    const { manager } = this.#options;
    await this.#put(before, after);
    const touched: string[] = [];
    try {
      for (const unit of after.instances) {
        const same = isUnchanged(unit, before, after);
        if (same && before.instances.includes(unit) && (await manager.isActive(unit))) continue;
        touched.push(unit);
        await this.#start(unit, addresses[unit]);
      }
    } catch (error) {
      await this.#goBack(before, after, touched);
      throw error;
    }
    for (const unit of before.instances.filter((one) => !after.instances.includes(one))) await this.#end(unit);
  }

  async #put(from: UnitSet, to: UnitSet): Promise<void> {
    const { units, files, manager } = this.#options;
    files.write(to.files);
    units.write(to.units);
    files.remove(Object.keys(from.files).filter((name) => !(name in to.files)));
    units.remove(Object.keys(from.units).filter((name) => !(name in to.units)));
    await manager.reload();
  }

  async #start(unit: string, address: string | undefined): Promise<void> {
    const { manager, progress } = this.#options;
    progress(`starting ${unit}`);
    await manager.enable(unit);
    // A socket cannot be opened anew while its service has it.
    if (unit.endsWith(".socket")) await manager.stop(unit.replace(/socket$/, "service"));
    await manager.restart(unit);
    if (address !== undefined) await listening(unit, address);
  }

  async #end(unit: string): Promise<void> {
    const { manager, progress } = this.#options;
    progress(`stopping ${unit}`);
    await manager.disable(unit);
    await manager.stop(unit);
  }

  async #goBack(before: UnitSet, after: UnitSet, touched: readonly string[]): Promise<void> {
    const { manager, progress } = this.#options;
    progress("going back to what was there");
    for (const unit of touched.filter((one) => !before.instances.includes(one))) await this.#end(unit);
    await this.#put(after, before);
    this.#options.files.removeIfEmpty();
    for (const unit of touched.filter((one) => before.instances.includes(one))) {
      await manager.restart(unit).catch((error) => progress(String(error.message)));
    }
  }
}

/** Is everything as it was that this unit reads? A socket reads no files of the component. */
function isUnchanged(unit: string, before: UnitSet, after: UnitSet): boolean {
  const template = unit.replace(/@[^.]*\./, "@.");
  const own = (name: string) => name === template || name.startsWith(`${template}.d/`);
  const unitsSame = sameTexts(before.units, after.units, own);
  return unitsSame && (unit.endsWith(".socket") || sameTexts(before.files, after.files, () => true));
}

function sameTexts(one: Texts, other: Texts, counts: (name: string) => boolean): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => !counts(name) || one[name] === other[name]);
}

/** Resolves when something listens there. Rejects with INSTANCE_START_FAILED. */
async function listening(unit: string, address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  for (let waited = 0; waited < listenTimeoutMs; waited += pollMs) {
    const socket = connect({ host: hostname, port: Number(port) });
    const open = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const message = `${unit} does not listen at ${address}; a server with a port of its own is told it in PORT`;
  throw new FleetError("INSTANCE_START_FAILED", `${message}; see journalctl --unit ${unit}`);
}
