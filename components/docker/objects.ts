import type * as docker from "@pulumi/docker";
import type * as dockerBuild from "@pulumi/docker-build";
import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { Platform } from "../platform.ts";
import { providerSdk } from "../provider-sdk.ts";
import type { DockerBuildArgs } from "./args.ts";
import { labelsOf } from "./container-spec.ts";
import { type DockerNames, dockerNames } from "./names.ts";
import type { DockerWorkload } from "./workload.ts";

export type DockerSdk = typeof docker;

/** The provider's SDK, loaded when the first component of this platform is made. */
export const dockerSdk = (component: string): DockerSdk =>
  providerSdk<DockerSdk>(component, Platform.Docker, "@pulumi/docker");

/** The names of this project's stack. */
export const stackNames = (): DockerNames => dockerNames(`${pulumi.getProject()}-${pulumi.getStack()}`);

/** A network of a component. An internal one leads nowhere but to its containers. */
export function network(
  sdk: DockerSdk,
  parent: pulumi.ComponentResource,
  noun: string,
  of: Pick<DockerWorkload, "name" | "role" | "tags">,
  args: { readonly name: string; readonly internal: boolean },
): docker.Network {
  const labels = labelsOf(of);
  // Labels cannot be changed on a network that is in use, and another network would cut off what is on this one.
  const options = childOf(parent)({ deleteBeforeReplace: true, ignoreChanges: ["labels"] });
  return new sdk.Network(`${of.name}-${noun}`, { ...args, driver: "bridge", labels }, options);
}

/** The id of the image to run: as it is on the Docker host, pulled if need be, or built first. Another image is another id. */
export function imageId(
  sdk: DockerSdk,
  parent: pulumi.ComponentResource,
  component: string,
  name: string,
  image: pulumi.Input<string>,
  build: DockerBuildArgs | undefined,
): pulumi.Output<string> {
  const child = childOf(parent);
  let built: dockerBuild.Image | undefined;
  if (build !== undefined) {
    const { Image } = providerSdk<typeof dockerBuild>(component, Platform.Docker, "@pulumi/docker-build");
    built = new Image(`${name}-build`, buildSpec(image, build), child());
  }
  // The host keeps the image when the stack goes: other stacks may run it.
  const args = {
    name: image,
    keepLocally: true,
    ...(built === undefined ? {} : { triggers: { digest: built.digest } }),
  };
  return new sdk.RemoteImage(`${name}-image`, args, child(built === undefined ? {} : { dependsOn: built })).imageId;
}

/** The build of this package's image into the engine's own store. */
export function buildSpec(
  image: pulumi.Input<string>,
  { context, base, presets }: DockerBuildArgs,
): dockerBuild.ImageArgs {
  return {
    context: { location: context },
    dockerfile: { location: pulumi.interpolate`${context}/runtime/Dockerfile` },
    buildArgs: {
      ...(base === undefined ? {} : { BASE: base }),
      ...(presets === undefined ? {} : { PRESETS: presets }),
    },
    tags: [image],
    push: false,
    load: true,
  };
}
