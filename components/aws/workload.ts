import type * as pulumi from "@pulumi/pulumi";
import type { AwsTaskArgs } from "./args.ts";
import type { TaskSize } from "./task-size.ts";

/** What runs in tasks: a fleet or a gateway, with every default applied. All builders of this folder take one. */
export interface Workload {
  /** The component as errors name it: `MCPGateway "gateway"`. */
  readonly component: string;
  readonly name: string;
  readonly role: "fleet" | "gateway";
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
  readonly block: AwsTaskArgs;
  readonly image: pulumi.Input<string>;
  /** In place of the image's entry point; undefined leaves it. */
  readonly entryPoint: readonly pulumi.Input<string>[] | undefined;
  readonly command: pulumi.Input<pulumi.Input<string>[]> | undefined;
  readonly env: Readonly<Record<string, pulumi.Input<string>>>;
  /** Environment variable to the name of the secret that it holds. */
  readonly secretEnv: Readonly<Record<string, string>>;
  readonly port: number;
  /** What ECS runs in the container to see whether it is well; undefined for an image that has no such command. */
  readonly healthCommand: readonly string[] | undefined;
  readonly size: TaskSize;
  readonly stopSeconds: pulumi.Input<number>;
}

/** Tags of every resource of a workload. */
export function tagsOf({
  name,
  role,
  tags,
}: Pick<Workload, "name" | "role" | "tags">): Record<string, pulumi.Input<string>> {
  return { "mcp-fleet:component": name, "mcp-fleet:role": role, ...tags };
}
