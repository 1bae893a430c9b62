import { isDeepStrictEqual } from "node:util";
import type {
  CheckFailure,
  PlatformResponse,
  ProcessFleetInputs,
  ProcessFleetOutputs,
} from "../../config/schema/index.ts";
import { pathText, serverNamePattern, validateServer } from "../../config/schema/index.ts";
import { messageOf } from "../../errors.ts";
import { findCommand } from "../find-command.ts";
import { prlimitFor } from "../invocation.ts";
import type { PackageCache } from "../package-cache.ts";
import { commandNotFound } from "../process-driver.ts";
import { bubblewrapFor } from "../sandbox.ts";
import { Sandboxes } from "../sandboxes.ts";
import { packageOf, sandboxedServers, sourceOf } from "../server-process.ts";
import { Daemon } from "./daemon.ts";
import { FleetFiles } from "./fleet-files.ts";
import { ownerOf } from "./folder-owner.ts";
import type { PlatformResource } from "./operations.ts";
import { serverReferenceProblems } from "./start-problems.ts";
import { StateFolder } from "./state-folder.ts";

type Response = PlatformResponse<ProcessFleetOutputs>;

/** One fleet of the `process` platform: a file in the state folder, taken over by the gateway that runs there. */
export class FleetResource implements PlatformResource<ProcessFleetInputs, ProcessFleetOutputs> {
  readonly #packages: PackageCache;
  readonly #entry: string;

  constructor(packages: PackageCache, entry: string) {
    this.#packages = packages;
    this.#entry = entry;
  }

  /** What is wrong, before anything is done: at preview. */
  async check({ name, stateDirectory, server }: ProcessFleetInputs): Promise<Response> {
    const failures: CheckFailure[] = [];
    if (!new RegExp(serverNamePattern).test(name)) {
      const fix = "use lower case letters, digits and hyphens, at most 32 characters";
      failures.push({ property: "name", reason: `"${name}" is not a name for a server; ${fix}` });
    }
    for (const { path, message, fix } of validateServer(server)) {
      failures.push({ property: "server", reason: `${pathText(path)}: ${message}; ${fix}` });
    }
    const command = server.process?.command;
    const known =
      command === undefined ||
      findCommand(command, server.process?.env?.PATH ?? process.env.PATH ?? "", server.process?.cwd ?? process.cwd());
    if (failures.length === 0 && known === undefined)
      failures.push({ property: "server", reason: commandNotFound(name, command as string).message });
    if (failures.length === 0) failures.push(...unconfined(name, stateDirectory, server));
    const state = new StateFolder(stateDirectory);
    if (failures.length === 0) {
      const reasons = await serverReferenceProblems(state, server);
      failures.push(...reasons.map((reason) => ({ property: "server", reason })));
    }
    const problem = state.problem();
    if (problem !== undefined) failures.push({ property: "stateDirectory", reason: problem });
    return { ok: true, failures };
  }

  async diff(inputs: ProcessFleetInputs, olds: ProcessFleetOutputs): Promise<Response> {
    const replaces = (["name", "stateDirectory"] as const).filter((key) => inputs[key] !== olds[key]);
    const file = this.#written(olds);
    const changes =
      replaces.length > 0 ||
      !isDeepStrictEqual(inputs.server, olds.server) ||
      !isDeepStrictEqual(file, olds.server) ||
      // An earlier version has put arguments into the state, which must leave it.
      olds.source !== sourceOf({ name: inputs.name, ...inputs.server });
    return { ok: true, changes, replaces };
  }

  /** Installs the package, writes the file, and has a running gateway take it over; puts the old one back if that fails. */
  async create(inputs: ProcessFleetInputs, progress: (line: string) => void): Promise<Response> {
    const { name, stateDirectory, server } = inputs;
    const wanted = packageOf({ name, ...server });
    if (wanted !== undefined) await this.#packages.ensure(wanted.name, wanted.version, progress);
    const files = new FleetFiles(new StateFolder(stateDirectory));
    const daemon = this.#daemon(stateDirectory);
    const before = files.read(name);
    files.write(name, server);
    // One that the gateway has not been given yet is tried when it is.
    if (daemon.running !== undefined && files.serves(name)) {
      try {
        await daemon.admin.reload();
        await daemon.serving([name]);
      } catch (error) {
        if (before === undefined) files.remove(name);
        else files.write(name, before);
        await daemon.admin.reload().catch(() => {});
        if (before !== undefined) await daemon.serving([name]).catch(() => {});
        throw error;
      }
    }
    return { ok: true, id: `${stateDirectory}#${name}`, outs: { ...inputs, source: sourceOf({ name, ...server }) } };
  }

  update(inputs: ProcessFleetInputs, _olds: ProcessFleetOutputs, progress: (line: string) => void): Promise<Response> {
    return this.create(inputs, progress);
  }

  /** With the last fleet goes what a gateway that never came up has left: no stack would end it. */
  async delete({ name, stateDirectory }: ProcessFleetOutputs): Promise<Response> {
    const state = new StateFolder(stateDirectory);
    const files = new FleetFiles(state);
    const daemon = this.#daemon(stateDirectory);
    files.remove(name);
    const last = [...files.served, ...state.names(state.waiting)].length === 0;
    if (last && ownerOf(state) === undefined) {
      await daemon.stop();
      state.clear();
    } else if (daemon.running !== undefined) await daemon.admin.reload();
    state.removeIfEmpty();
    return { ok: true };
  }

  /** What is really there; without an id when it is gone. */
  async read(olds: ProcessFleetOutputs): Promise<Response> {
    const server = this.#written(olds);
    if (server === undefined) return { ok: true };
    return {
      ok: true,
      id: `${olds.stateDirectory}#${olds.name}`,
      outs: { ...olds, server: server as ProcessFleetOutputs["server"] },
    };
  }

  #written({ name, stateDirectory }: ProcessFleetOutputs): unknown {
    return new FleetFiles(new StateFolder(stateDirectory)).read(name);
  }

  #daemon(stateDirectory: string): Daemon {
    return new Daemon(new StateFolder(stateDirectory), this.#entry);
  }
}

/** Why this machine cannot confine the server as it is to be. */
function unconfined(name: string, stateDirectory: string, server: ProcessFleetInputs["server"]): CheckFailure[] {
  const { sandbox, limits } = server;
  const needs = [
    () => sandbox && bubblewrapFor(name),
    ...sandboxedServers([{ name, ...server }]).map(
      (one) => () => new Sandboxes({ hidden: stateDirectory }).planFor(one),
    ),
    () => (limits?.openFiles === undefined ? undefined : prlimitFor(name, limits.openFiles)),
  ];
  return needs.flatMap((need) => {
    try {
      need();
      return [];
    } catch (error) {
      return [{ property: "server", reason: messageOf(error) }];
    }
  });
}
