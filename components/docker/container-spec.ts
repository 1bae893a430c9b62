import { dirname } from "node:path";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { dockerDefaults as defaults } from "./defaults.ts";
import type { DockerWorkload } from "./workload.ts";

/** The kernel's own period of a quota of processor time, in microseconds. */
const periodMicros = 100_000;

/** A number as text; stays plain where the number is known. */
function mapped<From, To>(value: pulumi.Input<From>, change: (known: From) => To): pulumi.Input<To> {
  const later = pulumi.Output.isInstance(value) || value instanceof Promise;
  return later
    ? (pulumi.output(value).apply((known) => change(known as From)) as pulumi.Output<To>)
    : change(value as From);
}

/**
 * A container that can do nothing but its work: a user of its own, no capability, a root that cannot be written to, bounded
 * processor, memory and log; restarted unless it was stopped by hand. `files` is the name of the container that holds its files;
 * undefined where it has none.
 */
export function containerSpec(workload: DockerWorkload, files?: pulumi.Input<string>): docker.ContainerArgs {
  const { image, entrypoint, command, env, hostFiles, state, networks, published, ours, block } = workload;
  const graceSeconds = mapped(workload.drainMs, (ms) => Math.ceil(ms / 1000) + defaults.graceMarginSeconds);
  return {
    image,
    ...(entrypoint === undefined ? {} : { entrypoints: [...entrypoint] }),
    ...(command === undefined ? {} : { command }),
    envs: Object.entries(env).map(([name, value]) => mapped(value, (text) => `${name}=${text}`)),
    user: workload.user,
    readOnly: true,
    capabilities: { drops: ["ALL"] },
    securityOpts: ["no-new-privileges:true"],
    // Others' images need not reap what their server leaves behind.
    init: !ours,
    tmpfs: { "/tmp": `rw,noexec,nosuid,nodev,mode=1777,size=${defaults.temporaryMiB}m` },
    volumes: [
      ...(files === undefined ? [] : [{ fromContainer: pulumi.interpolate`${files}:ro` }]),
      ...Object.entries(hostFiles).map(([containerPath, hostPath]) => ({ containerPath, hostPath, readOnly: true })),
      ...(state === undefined ? [] : [{ containerPath: state.path, volumeName: state.volume }]),
    ],
    networksAdvanced: networks,
    ...(published === undefined
      ? {}
      : { ports: [{ internal: published.inside, external: published.port, ip: published.host }] }),
    // Not `cpus`: the provider reads that back in another form (1 as "1.0", 10 as "10."), which replaces the container.
    cpuPeriod: periodMicros,
    cpuQuota: mapped(workload.cpuMillicores, (millicores) => (millicores * periodMicros) / 1000),
    memory: workload.memoryMiB,
    // As much as `memory`: no swap, so that a server which eats up its memory ends instead of slowing the machine.
    memorySwap: workload.memoryMiB,
    restart: "unless-stopped",
    stopTimeout: graceSeconds,
    destroyGraceSeconds: graceSeconds,
    logDriver: "json-file",
    logOpts: {
      "max-size": mapped(block.logMaxMiB ?? defaults.logMaxMiB, (size) => `${size}m`),
      "max-file": mapped(block.logMaxFiles ?? defaults.logMaxFiles, String),
    },
    ...(block.runtime === undefined ? {} : { runtime: block.runtime }),
    labels: labelsOf(workload),
    mustRun: true,
    // The image's own check says when it serves; without one, running must do.
    wait: ours,
    waitTimeout: defaults.waitSeconds,
  };
}

/**
 * A container that never starts. Its volumes hold the files of another one, which mounts them read-only: the engine writes no
 * file into a container whose root cannot be written to ("container rootfs is marked read-only").
 */
export function filesSpec({ image, uploads, ...workload }: DockerWorkload): docker.ContainerArgs {
  return {
    image,
    volumes: [...new Set(uploads.map(({ path }) => dirname(path)))].map((containerPath) => ({ containerPath })),
    // Readable for the other container's user.
    uploads: uploads.map(({ path, content }) => ({ file: path, content, permissions: "0444" })),
    networkMode: "none",
    labels: labelsOf(workload),
    start: false,
    mustRun: false,
  };
}

/** Labels of every object of a component. */
export function labelsOf({
  name,
  role,
  tags,
}: Pick<DockerWorkload, "name" | "role" | "tags">): pulumi.Input<{ label: string; value: pulumi.Input<string> }[]> {
  const own = { "mcp-fleet.component": role, "mcp-fleet.name": name };
  return mapped(tags as pulumi.Input<Record<string, string>>, (given) =>
    Object.entries({ ...given, ...own }).map(([label, value]) => ({ label, value })),
  );
}
