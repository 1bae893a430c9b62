import type { Gateway } from "./gateway.ts";
import type { Server } from "./server.ts";

/**
 * What the `process` platform's Pulumi resources send to `mcp-fleet platform <kind> <operation>`: one JSON object on
 * standard input, one on standard output. The state folder holds `gateway.json`, `owner.json`, `servers/<name>.json` of the
 * fleets that the gateway serves, `fleets/<name>.json` of others, `admin.sock`, `gateway.pid`, `session.key` and `log/`.
 */
export interface ProcessFleetInputs {
  /** The fleet's name. */
  name: string;
  /** Absolute path of the state folder that the fleet's gateway reads. */
  stateDirectory: string;
  /** The fleet as in a configuration file. */
  server: Server;
}

export interface ProcessFleetOutputs extends ProcessFleetInputs {
  /** Where the instances come from: `package@version` of a preset, a command line, or the endpoints. */
  source: string;
}

/** Whose gateway it is. */
export interface GatewayOwner {
  organization: string;
  project: string;
  stack: string;
  /** Folder of the program that declares it. */
  program: string;
}

export interface ProcessGatewayInputs {
  name: string;
  stateDirectory: string;
  /** Absent in states of earlier versions. */
  owner?: GatewayOwner;
  /** The gateway as in a configuration file. */
  gateway: Gateway;
  /** Names of the fleets that it serves, all of them before it counts as up. */
  fleets: string[];
}

export interface ProcessGatewayOutputs extends ProcessGatewayInputs {
  /** `http://127.0.0.1:8080`. */
  url: string;
  /** `running`, or `stopped` when a refresh found it dead. */
  status: string;
  /** Process id of the daemon; changes when it was repaired. */
  pid: number;
}

/** How a cluster is reached; as Pulumi's Kubernetes provider does where nothing is said. */
export interface ClusterAccess {
  /** Path of a kubeconfig, or its text. */
  kubeconfig?: string;
  /** A context of it other than the current one. */
  context?: string;
}

/** What the rollout of a Deployment is asked: not of a platform of this machine, but in the same form. */
export interface KubernetesRolloutInputs {
  namespace: string;
  /** Name of the Deployment. */
  name: string;
  /** Its unique id, which tells it from one of the same name in another cluster. */
  uid: string;
  /** A mark of what its pods are made of: another one is another rollout. */
  revision: string;
  /** After this time a rollout has failed. */
  timeoutSeconds: number;
  /** Kinds that an operator of the cluster defines and this needs: `keda.sh/v1alpha1/ScaledObject`. */
  kinds?: string[];
  cluster?: ClusterAccess;
}

export interface KubernetesRolloutOutputs extends KubernetesRolloutInputs {
  /** `running`; `degraded` when only pods of an earlier version serve; `stopped`. */
  status: string;
}

/** One wrong input, shown by Pulumi next to the resource. */
export interface CheckFailure {
  property: string;
  reason: string;
}

export type PlatformRequest<Inputs, Outputs> = { inputs: Inputs; olds?: Outputs; id?: string };

export type PlatformResponse<Outputs> =
  | {
      ok: true;
      outs?: Outputs;
      id?: string;
      /** It was made, and does not do its work. */
      failure?: string;
      failures?: CheckFailure[];
      changes?: boolean;
      replaces?: string[];
    }
  | { ok: false; message: string };
