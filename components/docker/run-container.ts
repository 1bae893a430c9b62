import type * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { containerSpec, filesSpec } from "./container-spec.ts";
import type { DockerSdk } from "./objects.ts";
import type { DockerWorkload } from "./workload.ts";

/**
 * A workload's container and, where it has files, the one that holds them. The provider would delete a container before it
 * makes the next one; here the next one is healthy first, unless both want one port of the host.
 */
export function runContainer(
  sdk: DockerSdk,
  parent: pulumi.Resource,
  name: string,
  workload: DockerWorkload,
  dependsOn: pulumi.Resource | pulumi.Resource[],
  more: pulumi.CustomResourceOptions = {},
): docker.Container {
  const child = childOf(parent);
  const files =
    workload.uploads.length === 0
      ? undefined
      : new sdk.Container(`${name}-files`, filesSpec(workload), child({ deleteBeforeReplace: false }));
  return new sdk.Container(
    name,
    containerSpec(workload, files?.name),
    child({
      ...more,
      dependsOn,
      deleteBeforeReplace: workload.published !== undefined,
      // The provider takes a change of these and does nothing.
      replaceOnChanges: ["cpuQuota", "cpuPeriod"],
    }),
  );
}
