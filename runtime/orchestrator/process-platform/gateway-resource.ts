import { createServer } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { defaults } from "../../config/defaults.ts";
import type {
  CheckFailure,
  Gateway,
  PlatformResponse,
  ProcessGatewayInputs,
  ProcessGatewayOutputs,
} from "../../config/schema/index.ts";
import { expressionsIn, pathText, validateGateway } from "../../config/schema/index.ts";
import type { GatewayStatus } from "../../gateway.ts";
import { Daemon } from "./daemon.ts";
import type { PlatformResource } from "./operations.ts";
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
      const { host = defaults.gateway.host, port = defaults.gateway.port } = gateway;
      const ours = this.#daemon(stateDirectory).running !== undefined && this.#listensAt(state, host, port);
      const reason = ours ? undefined : await portProblem(host, port);
      if (reason !== undefined) failures.push({ property: "gateway", reason });
    }
    return { ok: true, failures };
  }

  async diff(inputs: ProcessGatewayInputs, olds: ProcessGatewayOutputs): Promise<Response> {
    const replaces = inputs.stateDirectory === olds.stateDirectory ? [] : ["stateDirectory"];
    const alive = this.#daemon(olds.stateDirectory).running !== undefined;
    const same = isDeepStrictEqual(inputs.gateway, olds.gateway) && isDeepStrictEqual(inputs.fleets, olds.fleets);
    return { ok: true, replaces, changes: replaces.length > 0 || !same || !alive || olds.status !== "running" };
  }

  async create(inputs: ProcessGatewayInputs): Promise<Response> {
    const state = new StateFolder(inputs.stateDirectory);
    state.write(state.gatewayFile, this.#file(state, inputs.gateway));
    const daemon = this.#daemon(inputs.stateDirectory);
    await daemon.stop();
    return this.#up(inputs, await daemon.start(inputs.fleets));
  }

  /** Starts it anew when its own settings differ or it has died; sessions go on, their ids are sealed. */
  async update(inputs: ProcessGatewayInputs, olds: ProcessGatewayOutputs): Promise<Response> {
    const daemon = this.#daemon(inputs.stateDirectory);
    const keeps = daemon.running !== undefined && isDeepStrictEqual(inputs.gateway, olds.gateway);
    return keeps ? this.#up(inputs, await daemon.serving(inputs.fleets)) : this.create(inputs);
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

  #listensAt(state: StateFolder, host: string, port: number): boolean {
    const { gateway } = defaults;
    const written = state.read(state.gatewayFile) as Gateway | undefined;
    return (written?.host ?? gateway.host) === host && (written?.port ?? gateway.port) === port;
  }

  #up(inputs: ProcessGatewayInputs, { pid, url }: GatewayStatus): Response {
    return { ok: true, id: inputs.stateDirectory, outs: { ...inputs, url: url ?? "", status: "running", pid } };
  }
}

function portProblem(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      const inUse = `port: ${host}:${port} is in use by another program; stop what listens there, or set port to another one (0 takes a free one)`;
      resolve(
        error.code === "EADDRINUSE"
          ? inUse
          : `host: cannot listen on ${host}:${port} (${error.message}); give an address of this machine`,
      );
    });
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
}
