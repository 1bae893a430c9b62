import type { PlatformResponse } from "../../config/schema/index.ts";

/** Resources of the `process` platform, that of the `systemd` platform, and the rollouts of the `kubernetes` platform. */
export const resourceKinds = ["fleet", "gateway", "files", "units", "rollout"] as const;
export type ResourceKind = (typeof resourceKinds)[number];

/** What a deployment engine does with a resource. */
export const operations = ["check", "diff", "create", "update", "delete", "read"] as const;
export type Operation = (typeof operations)[number];

/** One kind of resource: an operation each, answered in the same form. */
export interface PlatformResource<Inputs, Outputs> {
  /** `olds` are the inputs before; none of a resource that is new. */
  check(
    inputs: Inputs,
    olds: Partial<Inputs> | undefined,
    progress: (line: string) => void,
  ): Promise<PlatformResponse<Outputs>>;
  diff(inputs: Inputs, olds: Outputs): Promise<PlatformResponse<Outputs>>;
  create(inputs: Inputs, progress: (line: string) => void): Promise<PlatformResponse<Outputs>>;
  update(inputs: Inputs, olds: Outputs, progress: (line: string) => void): Promise<PlatformResponse<Outputs>>;
  delete(olds: Outputs): Promise<PlatformResponse<Outputs>>;
  read(olds: Outputs): Promise<PlatformResponse<Outputs>>;
}
