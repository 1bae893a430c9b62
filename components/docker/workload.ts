import type * as pulumi from "@pulumi/pulumi";
import type { DockerContainerArgs } from "./args.ts";

/** A file that a container finds when it starts; the engine writes it into a volume that goes with the container. */
export interface UploadedFile {
  readonly path: string;
  readonly content: pulumi.Input<string>;
}

/** A network that a container is part of, and by which name others find it there. */
export interface AttachedNetwork {
  readonly name: pulumi.Input<string>;
  readonly aliases?: pulumi.Input<string>[];
}

/** What runs in one container, with every default applied. All builders of this folder take one. */
export interface DockerWorkload {
  readonly role: "fleet" | "gateway" | "front" | "monitoring" | "cache";
  /** The component's name. */
  readonly name: string;
  /** Labels that the user wants on every object. */
  readonly tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
  readonly image: pulumi.Input<string>;
  /** `user:group`, in numbers; never root. */
  readonly user: string;
  /** In place of the image's entry point; undefined leaves it. */
  readonly entrypoint: readonly pulumi.Input<string>[] | undefined;
  readonly command: pulumi.Input<pulumi.Input<string>[]> | undefined;
  readonly env: Readonly<Record<string, pulumi.Input<string>>>;
  readonly uploads: readonly UploadedFile[];
  /** Files of the Docker host, by the path at which they are mounted. */
  readonly hostFiles: Readonly<Record<string, pulumi.Input<string>>>;
  /** Volume that outlives the container, and where it is mounted. */
  readonly state: { readonly volume: pulumi.Input<string>; readonly path: string } | undefined;
  readonly networks: pulumi.Input<AttachedNetwork[]>;
  /** Address of the host at which a port of the container is published. */
  readonly published:
    | { readonly host: pulumi.Input<string>; readonly port: pulumi.Input<number>; readonly inside: number }
    | undefined;
  /** It is the image of mcp-fleet, which has an init process and a health check of its own. */
  readonly ours: boolean;
  readonly cpuMillicores: pulumi.Input<number>;
  readonly memoryMiB: pulumi.Input<number>;
  readonly drainMs: pulumi.Input<number>;
  readonly block: DockerContainerArgs;
}
