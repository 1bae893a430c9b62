import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesRolloutInputs, KubernetesRolloutOutputs, PlatformResponse } from "../../config/schema/index.ts";
import { messageOf } from "../../errors.ts";
import type { PlatformResource } from "../process-platform/operations.ts";
import { ClusterApi, ClusterRefusal } from "./cluster-api.ts";
import { ClusterRollout, isPassing, missingKinds, type Seen } from "./cluster-rollout.ts";
import { clusterCredentials } from "./kubeconfig.ts";
import { type Deployment, isComplete, progressOf, statusOf, type Trouble } from "./rollout.ts";

type Inputs = KubernetesRolloutInputs;
type Outputs = KubernetesRolloutOutputs;
type Response = PlatformResponse<Outputs>;
type Progress = (line: string) => void;

/** Time, which tests turn by hand. */
export interface RolloutClock {
  now(): number;
  sleep(ms: number): Promise<unknown>;
}

const pollMs = 1000;
/** Until a wait is told, and between one such line and the next. */
const tellMs = 15_000;
/** For what does not mend itself: an image is pulled three times, and a process started four times, before that. */
const patienceMs = 45_000;

/**
 * The rollout of a Deployment: made or changed, it waits until every pod is of the version that was declared last and
 * available, and fails with the reason of the pod that keeps it. There is nothing to delete; the component's own provider
 * compares, because most updates change no Deployment.
 */
export class RolloutResource
  implements Pick<PlatformResource<Inputs, Outputs>, "check" | "create" | "update" | "read">
{
  readonly #clock: RolloutClock;

  constructor(clock: RolloutClock = { now: () => performance.now(), sleep: (ms) => sleep(ms) }) {
    this.#clock = clock;
  }

  /** Tells of kinds that the cluster does not have. The same update can define them, so it is no failure. */
  async check(
    { cluster, kinds = [], namespace, name }: Inputs,
    _olds: Partial<Inputs> | undefined,
    progress: Progress,
  ): Promise<Response> {
    const api = new ClusterApi(await clusterCredentials(cluster));
    try {
      for (const one of await missingKinds(api, kinds)) {
        const fix = "install the operator that defines it first, unless this update does";
        progress(`warning: ${namespace}/${name} needs ${one}, which the cluster does not have; ${fix}`);
      }
      return { ok: true };
    } finally {
      await api.close();
    }
  }

  async create(inputs: Inputs, progress: Progress): Promise<Response> {
    return this.#asked(inputs, async (rollout, origin) => {
      const { deployment, failure } = await this.#ended(rollout, inputs, origin, progress);
      const outs = { ...inputs, status: statusOf(deployment) };
      return {
        ok: true,
        id: `${inputs.namespace}/${inputs.name}`,
        outs,
        ...(failure === undefined ? {} : { failure }),
      };
    });
  }

  async update(inputs: Inputs, _olds: Outputs, progress: Progress): Promise<Response> {
    return this.create(inputs, progress);
  }

  async read(olds: Outputs): Promise<Response> {
    return this.#asked(olds, async (rollout) => {
      try {
        const status = statusOf(await rollout.deployment());
        return { ok: true, id: `${olds.namespace}/${olds.name}`, outs: { ...olds, status } };
      } catch (error) {
        if (error instanceof ClusterRefusal && error.status === 404) return { ok: true };
        throw error;
      }
    });
  }

  async #asked(
    { cluster, namespace, name }: Inputs,
    ask: (rollout: ClusterRollout, origin: string) => Promise<Response>,
  ): Promise<Response> {
    const api = new ClusterApi(await clusterCredentials(cluster));
    try {
      return await ask(new ClusterRollout(api, namespace, name), api.origin);
    } finally {
      await api.close();
    }
  }

  /** The Deployment once it is rolled out, or when that has failed. */
  async #ended(
    rollout: ClusterRollout,
    inputs: Inputs,
    origin: string,
    progress: Progress,
  ): Promise<{ readonly deployment: Deployment; readonly failure?: string }> {
    const began = this.#clock.now();
    let told = began;
    let troubledSince: number | undefined;
    for (;;) {
      const seen = await this.#seen(rollout, inputs, origin, began);
      const now = this.#clock.now();
      if (seen !== undefined) {
        const { deployment } = seen;
        if (isComplete(deployment)) return { deployment };
        troubledSince = seen.trouble?.lasting ? (troubledSince ?? now) : undefined;
        const late = now - began >= inputs.timeoutSeconds * 1000;
        const hopeless = troubledSince !== undefined && now - troubledSince >= patienceMs;
        if (late || hopeless) return { deployment, failure: await this.#failure(rollout, inputs, seen, late) };
        if (now - told >= tellMs) {
          told = now;
          const of = `${inputs.namespace}/${inputs.name}`;
          progress(`waiting for the Deployment ${of}: ${progressOf(deployment)}${why(seen.trouble)}`);
        }
      }
      await this.#clock.sleep(pollMs);
    }
  }

  /** Undefined when the API server cannot be asked just now. */
  async #seen(rollout: ClusterRollout, inputs: Inputs, origin: string, began: number): Promise<Seen | undefined> {
    const { namespace, name, uid, timeoutSeconds } = inputs;
    try {
      const seen = await rollout.look();
      if (seen.deployment.metadata.uid === uid) return seen;
    } catch (error) {
      if (!(error instanceof ClusterRefusal && error.status === 404)) {
        const over = this.#clock.now() - began >= timeoutSeconds * 1000;
        if (isPassing(error) && !over) return undefined;
        throw new Error(`Deployment ${namespace}/${name}: ${origin} cannot be asked how it is: ${messageOf(error)}`);
      }
    }
    const fix = "let KUBECONFIG and its context name the cluster that the provider uses";
    throw new Error(`Deployment ${namespace}/${name} of this update is not at ${origin}; ${fix}`);
  }

  async #failure(rollout: ClusterRollout, inputs: Inputs, seen: Seen, late: boolean): Promise<string> {
    const { namespace, name, timeoutSeconds } = inputs;
    const { deployment, trouble } = seen;
    const serving = statusOf(deployment) === "degraded" ? "; the earlier version goes on serving" : "";
    const state = late ? `not rolled out within ${timeoutSeconds} s` : "the new version does not start";
    const lines = trouble === undefined ? "" : await rollout.lastLines(trouble);
    const log = lines === "" ? "" : `\nits last lines:\n${lines.replace(/^/gm, "  ")}`;
    const fix = late && !trouble?.lasting ? "; raise kubernetes.rolloutSeconds if it needs longer" : "";
    return `Deployment ${namespace}/${name}: ${state} (${progressOf(deployment)})${serving}${why(trouble)}${fix}${log}`;
  }
}

function why(trouble: Trouble | undefined): string {
  if (trouble === undefined) return "";
  const { pod, container, reason } = trouble;
  if (pod === undefined) return `; ${reason}`;
  return `; pod ${pod}${container === undefined ? "" : `, container ${container}`}: ${reason}`;
}
