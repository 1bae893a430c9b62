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
  async check({ stateDirectory, gateway }: ProcessGatewayInputs): Promise<Response> {
    const conditions =
      expressionsIn(gateway).length > 0 ? await import("../../config/schema/conditions.ts") : undefined;
    const issues = [...validateGateway(gateway), ...(conditions?.conditionIssues(gateway) ?? [])];
    const failures: CheckFailure[] = issues.map(({ path, message, fix }) => ({
      property: "gateway",
      reason: `${pathText(path)}: ${message}; ${fix}`,
    }));
    const state = new StateFolder(stateDirectory);
    const problem = state.problem();
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
    const same = isDeepStrictEqual(inputs.gateway, olds.gateway) && isDeepStrictEqual(inputs.fleets, olds.fleets);
    return { ok: true, replaces, changes: replaces.length > 0 || !same || !alive || olds.status !== "running" };
  }

  /** Starts it, or changes the one that runs in its folder. What cannot start leaves everything as it was. */
  async create(inputs: ProcessGatewayInputs): Promise<Response> {
    const state = new StateFolder(inputs.stateDirectory);
    const problems = await this.#problems(state, inputs.gateway);
    if (problems.length > 0) throw new FleetError("CONFIG_INVALID", problems.join("\n"));
    const before = state.read(state.gatewayFile) as Gateway | undefined;
    state.write(state.gatewayFile, this.#file(state, inputs.gateway));
    const daemon = this.#daemon(inputs.stateDirectory);
    try {
      const change = new GatewayChange({ state, daemon, before, fleets: inputs.fleets });
      return this.#up(inputs, await change.apply());
    } catch (error) {
      if (before === undefined) rmSync(state.gatewayFile, { force: true });
      else state.write(state.gatewayFile, before);
      if (daemon.running !== undefined) await daemon.admin.reload().catch(() => {});
      throw error;
    }
  }

  /** Takes over settings without a restart where that can be; else another process takes over. Sessions go on, their ids are sealed. */
  update(inputs: ProcessGatewayInputs, _olds: ProcessGatewayOutputs): Promise<Response> {
    return this.create(inputs);
  }

  /** Drains it and leaves nothing: no process, socket, key or log. */
  async delete({ stateDirectory }: ProcessGatewayOutputs): Promise<Response> {
    await this.#daemon(stateDirectory).stop();
    new StateFolder(stateDirectory).clear();
    return { ok: true };
  }

  /** What is really there: `status` says whether it still runs. */
  async read(olds: ProcessGatewayOutputs): Promise<Response> {
    const running = this.#daemon(olds.stateDirectory).running;
    const outs = { ...olds, status: running === undefined ? "stopped" : "running", pid: running?.pid ?? olds.pid };
    return { ok: true, id: olds.stateDirectory, outs };
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
