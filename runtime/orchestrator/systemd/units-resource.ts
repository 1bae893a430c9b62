import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type {
  CheckFailure,
  PlatformResponse,
  SystemdUnitsInputs,
  SystemdUnitsOutputs,
} from "../../config/schema/index.ts";
import type { PackageCache } from "../package-cache.ts";
import type { PlatformResource } from "../process-platform/operations.ts";
import { packageOf, sourceOf } from "../server-process.ts";
import type { ServiceManager } from "./service-manager.ts";
import { type Texts, UnitFolder } from "./unit-folder.ts";
import { UnitRollout } from "./unit-rollout.ts";

type Response = PlatformResponse<SystemdUnitsOutputs>;

/** Folders that `ProtectHome=` and `PrivateTmp=` hide from services. */
const hidden = /^\/(home|root|run\/user|tmp|var\/tmp)\//;

/** The units of one component of the `systemd` platform: written, started, changed one after the other, and removed. */
export class UnitsResource implements PlatformResource<SystemdUnitsInputs, SystemdUnitsOutputs> {
  readonly #manager: ServiceManager;
  readonly #packages: PackageCache;

  constructor(manager: ServiceManager, packages: PackageCache) {
    this.#manager = manager;
    this.#packages = packages;
  }

  /** What is wrong, before anything is done: at preview. */
  async check({ unitDirectory, folder, programs }: SystemdUnitsInputs): Promise<Response> {
    const failures: CheckFailure[] = [];
    if (!this.#manager.booted) {
      const reason = "systemd is not this machine's service manager; set platform to process, or deploy where it is";
      failures.push({ property: "units", reason });
    }
    for (const path of [unitDirectory, folder]) {
      if (isWritable(path)) continue;
      const fix = "run pulumi as root, or choose another folder (systemd.unitDirectory)";
      failures.push({ property: "unitDirectory", reason: `${path} cannot be written to; ${fix}` });
    }
    for (const path of programs.filter((one) => hidden.test(one))) {
      const fix =
        "install mcp-fleet and its Node.js elsewhere, such as in /opt, or name another one in systemd.program";
      failures.push({ property: "units", reason: `${path} is in a folder that services do not see; ${fix}` });
    }
    return { ok: true, failures };
  }

  async diff(inputs: SystemdUnitsInputs, olds: SystemdUnitsOutputs): Promise<Response> {
    const replaces = (["unitDirectory", "folder"] as const).filter((key) => inputs[key] !== olds[key]);
    const { units, files, tokens } = this.#written(olds);
    const found = { ...olds, units, files, tokens };
    const differs = (Object.keys(inputs) as (keyof SystemdUnitsInputs)[]).some(
      (key) => key !== "source" && !isDeepStrictEqual(plain(inputs[key]), plain(found[key])),
    );
    return { ok: true, changes: replaces.length > 0 || differs || olds.status !== "running", replaces };
  }

  create(inputs: SystemdUnitsInputs, progress: (line: string) => void): Promise<Response> {
    return this.#apply(inputs, { ...inputs, units: {}, files: {}, tokens: [], instances: [] }, progress);
  }

  async update(
    inputs: SystemdUnitsInputs,
    olds: SystemdUnitsOutputs,
    progress: (line: string) => void,
  ): Promise<Response> {
    return this.#apply(inputs, olds, progress);
  }

  /** Ends and removes everything, also what its services have kept. */
  async delete(olds: SystemdUnitsOutputs): Promise<Response> {
    const { instances, folder, units, files, tokens } = olds;
    for (const unit of [...instances].reverse()) {
      await this.#manager.disable(unit);
      await this.#manager.stop(unit);
    }
    for (const unit of instances.filter((one) => one.endsWith(".service"))) await this.#manager.clean(unit);
    this.#units(olds).remove(Object.keys(units));
    const own = this.#files(folder);
    own.remove([...Object.keys(files), ...tokens]);
    own.removeIfEmpty();
    await this.#manager.reload();
    return { ok: true };
  }

  /** What is really there: nothing when no unit file is left; `status` says whether all units still run. */
  async read(olds: SystemdUnitsOutputs): Promise<Response> {
    const written = this.#written(olds);
    if (Object.keys(written.units).length === 0) return { ok: true };
    const active = await Promise.all(olds.instances.map((unit) => this.#manager.isActive(unit)));
    const status = active.every(Boolean) ? "running" : "stopped";
    return { ok: true, id: idOf(olds), outs: { ...olds, ...written, status } };
  }

  async #apply(
    inputs: SystemdUnitsInputs,
    olds: SystemdUnitsInputs,
    progress: (line: string) => void,
  ): Promise<Response> {
    const { preset } = inputs;
    const server = preset && { name: "", ...preset };
    const wanted = server && packageOf(server);
    if (wanted !== undefined) await this.#packages.ensure(wanted.name, wanted.version, progress);
    const tokens = this.#tokens(inputs);
    const rollout = new UnitRollout({
      manager: this.#manager,
      units: this.#units(inputs),
      files: this.#files(inputs.folder),
      progress,
    });
    const names = (one: SystemdUnitsInputs) => [...Object.keys(one.files), ...one.tokens];
    await rollout.change(
      { ...this.#textsOf(olds, names(olds)), instances: olds.instances },
      { units: inputs.units, files: { ...inputs.files, ...tokens }, instances: inputs.instances },
      inputs.addresses,
    );
    const source = server === undefined ? inputs.source : sourceOf(server);
    return { ok: true, id: idOf(inputs), outs: { ...inputs, source, status: "running" } };
  }

  /** Tokens stay what they are for as long as the component is there. */
  #tokens({ folder, tokens }: SystemdUnitsInputs): Texts {
    const made = Object.fromEntries(tokens.map((name) => [name, randomBytes(32).toString("base64url")]));
    return { ...made, ...this.#files(folder).read(tokens) };
  }

  #textsOf(from: SystemdUnitsInputs, names: readonly string[]): { units: Texts; files: Texts } {
    return { units: this.#units(from).read(Object.keys(from.units)), files: this.#files(from.folder).read(names) };
  }

  #written(olds: SystemdUnitsInputs): Pick<SystemdUnitsInputs, "units" | "files" | "tokens"> {
    const { units, files } = this.#textsOf(olds, Object.keys(olds.files));
    return { units, files, tokens: Object.keys(this.#files(olds.folder).read(olds.tokens)) };
  }

  #units({ unitDirectory }: SystemdUnitsInputs): UnitFolder {
    return new UnitFolder(unitDirectory, { secret: false });
  }

  #files(folder: string): UnitFolder {
    return new UnitFolder(folder, { secret: true });
  }
}

const idOf = ({ folder }: SystemdUnitsInputs): string => folder;

/** A value as it is in the state, where keys without a value are none. */
const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

function isWritable(path: string): boolean {
  let folder = path;
  while (!existsSync(folder)) folder = dirname(folder);
  try {
    // Root may write by the modes of every folder, but not on every file system.
    rmdirSync(mkdtempSync(join(folder, ".mcp-fleet-")));
    return true;
  } catch {
    return false;
  }
}
