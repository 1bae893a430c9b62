import { rmSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type {
  CheckFailure,
  Gateway,
  PlatformResponse,
  ProcessGatewayInputs,
  ProcessGatewayOutputs,
} from "../../config/schema/index.ts";
import { expressionsIn, pathText, validateGateway } from "../../config/schema/index.ts";
import { FleetError } from "../../errors.ts";
import type { GatewayStatus } from "../../gateway.ts";
import { Daemon } from "./daemon.ts";
import { FleetFiles } from "./fleet-files.ts";
import { isOfAnother, ownerOf, takenReason } from "./folder-owner.ts";
import { GatewayChange } from "./gateway-change.ts";
import type { PlatformResource } from "./operations.ts";
import { startProblems } from "./start-problems.ts";
import { StateFolder } from "./state-folder.ts";

type Response = PlatformResponse<ProcessGatewayOutputs>;

/** The gateway of the `process` platform: a daemon in a state folder. */
export class GatewayResource implements PlatformResource<ProcessGatewayInputs, ProcessGatewayOutputs> {
  readonly #entry: string;

  constructor(entry: string) {
    this.#entry = entry;
  }

  /** What is wrong, before anything is done: at preview. */
  async check(inputs: ProcessGatewayInputs, olds?: Partial<ProcessGatewayInputs>): Promise<Response> {
    const { stateDirectory, gateway } = inputs;
    const conditions =
      expressionsIn(gateway).length > 0 ? await import("../../config/schema/conditions.ts") : undefined;
    const issues = [...validateGateway(gateway), ...(conditions?.conditionIssues(gateway) ?? [])];
    const failures: CheckFailure[] = issues.map(({ path, message, fix }) => ({
      property: "gateway",
      reason: `${pathText(path)}: ${message}; ${fix}`,
    }));
    const state = new StateFolder(stateDirectory);
    const problem = state.problem() ?? this.#taken(inputs, olds?.stateDirectory === stateDirectory);
    if (problem !== undefined) failures.push({ property: "stateDirectory", reason: problem });
    if (failures.length === 0) {
      const reasons = await this.#problems(state, gateway);
      failures.push(...reasons.map((reason) => ({ property: "gateway", reason })));
    }
    return { ok: true, failures };
  }

  async diff(inputs: ProcessGatewayInputs, olds: ProcessGatewayOutputs): Promise<Response> {
    const replaces = inputs.stateDirectory === olds.stateDirectory ? [] : ["stateDirectory"];
    const alive = this.#daemon(olds.stateDirectory).running !== undefined;
    const { served } = new FleetFiles(new StateFolder(olds.stateDirectory));
    const all = inputs.fleets.every((name) => served.includes(name));
    const same =
      isDeepStrictEqual(inputs.gateway, olds.gateway) && isDeepStrictEqual(inputs.fleets, olds.fleets) && all;
    return { ok: true, replaces, changes: replaces.length > 0 || !same || !alive || olds.status !== "running" };
  }

  /** Starts it, or changes the one that runs in its folder. What cannot start leaves everything as it was. */
  create(inputs: ProcessGatewayInputs): Promise<Response> {
    return this.#apply(inputs, false);
  }

  /** Takes over settings without a restart where that can be; else another process takes over. Sessions go on, their ids are sealed. */
  update(inputs: ProcessGatewayInputs, olds: ProcessGatewayOutputs): Promise<Response> {
    return this.#apply(inputs, inputs.stateDirectory === olds.stateDirectory);
  }

  /** Drains it and leaves nothing: no process, socket, key or log. */
  async delete(olds: ProcessGatewayOutputs): Promise<Response> {
    const state = new StateFolder(olds.stateDirectory);
    if (isOfAnother(ownerOf(state), olds)) return { ok: true };
    await this.#daemon(olds.stateDirectory).stop();
    state.clear();
    return { ok: true };
  }

  /** What is really there: `status` says whether it still runs. */
  async read(olds: ProcessGatewayOutputs): Promise<Response> {
    if (isOfAnother(ownerOf(new StateFolder(olds.stateDirectory)), olds)) return { ok: true };
    const running = this.#daemon(olds.stateDirectory).running;
    const outs = { ...olds, status: running === undefined ? "stopped" : "running", pid: running?.pid ?? olds.pid };
    return { ok: true, id: olds.stateDirectory, outs };
  }

  async #apply(inputs: ProcessGatewayInputs, known: boolean): Promise<Response> {
    const { name, stateDirectory, gateway, fleets, owner } = inputs;
    const state = new StateFolder(stateDirectory);
    const taken = this.#taken(inputs, known);
    const problems = taken === undefined ? await this.#problems(state, gateway) : [taken];
    if (problems.length > 0) throw new FleetError("CONFIG_INVALID", problems.join("\n"));
    const before = state.read(state.gatewayFile) as Gateway | undefined;
    const undo = new FleetFiles(state).assign(fleets);
    state.write(state.gatewayFile, this.#file(state, gateway));
    const daemon = this.#daemon(stateDirectory);
    try {
      const status = await new GatewayChange({ state, daemon, before, fleets }).apply();
      if (owner !== undefined) state.write(state.ownerFile, { ...owner, gateway: name, fleets });
      return this.#up(inputs, status);
    } catch (error) {
      undo();
      if (before === undefined) rmSync(state.gatewayFile, { force: true });
      else state.write(state.gatewayFile, before);
      if (daemon.running !== undefined) await daemon.admin.reload().catch(() => {});
      throw error;
    }
  }

  /** Why the folder is another gateway's. One that is `known` is in the stack's state: its program can have been moved. */
  #taken(inputs: ProcessGatewayInputs, known: boolean): string | undefined {
    const state = new StateFolder(inputs.stateDirectory);
    const { running } = this.#daemon(inputs.stateDirectory);
    const owner = ownerOf(state);
    if (running === undefined || owner === undefined || inputs.owner === undefined) return undefined;
    const another = isOfAnother(owner, inputs) || (!known && owner.program !== inputs.owner.program);
    return another ? takenReason(state.path, owner, running.pid) : undefined;
  }

  #daemon(stateDirectory: string): Daemon {
    return new Daemon(new StateFolder(stateDirectory), this.#entry);
  }

  #file(state: StateFolder, gateway: Gateway): Gateway {
    return {
      ...gateway,
      admin: { socket: state.socket },
      log: { file: state.log, ...gateway.log },
    };
  }

  #problems(state: StateFolder, gateway: Gateway): Promise<string[]> {
    const written = state.read(state.gatewayFile) as Gateway | undefined;
    const runs = this.#daemon(state.path).running !== undefined;
    return startProblems(state, gateway, runs ? (written ?? {}) : undefined);
  }

  #up(inputs: ProcessGatewayInputs, { pid, url }: GatewayStatus): Response {
    return { ok: true, id: inputs.stateDirectory, outs: { ...inputs, url: url ?? "", status: "running", pid } };
  }
}
