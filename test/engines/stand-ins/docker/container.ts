import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dockerOk } from "../../../support/docker.ts";
import type { Kind, Properties } from "../serve.ts";

interface Network {
  readonly name: string;
  readonly aliases?: readonly string[];
}
interface Upload {
  readonly file: string;
  readonly content: string;
  readonly permissions: string;
}
interface Volume {
  readonly containerPath?: string;
  readonly fromContainer?: string;
  readonly hostPath?: string;
  readonly volumeName?: string;
  readonly readOnly?: boolean;
}

const each = <T>(value: unknown, flags: (item: T) => string[]): string[] => ((value ?? []) as T[]).flatMap(flags);
const entries = (value: unknown, flags: (key: string, item: string) => string[]): string[] =>
  Object.entries((value ?? {}) as Record<string, string>).flatMap(([key, item]) => flags(key, item));
const isOn = (flag: string) => (value: unknown) => (value === true ? [flag] : []);
const nothing = () => [];

/** The flag of `docker create` for each input that the components give; what is not here is refused. */
const flagsOf: Readonly<Record<string, (value: unknown) => string[]>> = {
  name: (value) => ["--name", value as string],
  user: (value) => ["--user", value as string],
  readOnly: isOn("--read-only"),
  capabilities: (value) => each((value as { drops: string[] }).drops, (drop: string) => ["--cap-drop", drop]),
  securityOpts: (value) => each(value, (option: string) => ["--security-opt", option]),
  init: isOn("--init"),
  tmpfs: (value) => entries(value, (path, options) => ["--tmpfs", `${path}:${options}`]),
  volumes: (value) => each(value, volumeFlags),
  envs: (value) => each(value, (pair: string) => ["--env", pair]),
  cpuPeriod: (value) => ["--cpu-period", String(value)],
  cpuQuota: (value) => ["--cpu-quota", String(value)],
  networkMode: (value) => ["--network", value as string],
  memory: (value) => ["--memory", `${value}m`],
  memorySwap: (value) => ["--memory-swap", `${value}m`],
  restart: (value) => ["--restart", value as string],
  stopTimeout: (value) => ["--stop-timeout", String(value)],
  logDriver: (value) => ["--log-driver", value as string],
  logOpts: (value) => entries(value, (key, option) => ["--log-opt", `${key}=${option}`]),
  labels: (value) =>
    each(value, ({ label, value: text }: { label: string; value: string }) => ["--label", `${label}=${text}`]),
  ports: (value) =>
    each(value, ({ ip, external, internal }: { ip: string; external: number; internal: number }) => [
      "--publish",
      `${ip}:${external}:${internal}`,
    ]),
  runtime: (value) => ["--runtime", value as string],
  // Elsewhere below, or said by the provider's own behaviour.
  ...{ image: nothing, entrypoints: nothing, command: nothing, networksAdvanced: nothing, uploads: nothing },
  ...{ mustRun: nothing, wait: nothing, waitTimeout: nothing, destroyGraceSeconds: nothing, start: nothing },
};

function volumeFlags({ containerPath, fromContainer, hostPath, volumeName, readOnly }: Volume): string[] {
  if (fromContainer !== undefined) return ["--volumes-from", fromContainer];
  const source = hostPath ?? volumeName;
  const place = source === undefined ? containerPath : `${source}:${containerPath}`;
  return ["--volume", readOnly === true ? `${place}:ro` : (place as string)];
}

/**
 * docker:index/container:Container, by the docker command, and as strict as the provider (pulumi-docker 5.2.0 over
 * terraform-provider-docker 4.5.0; files of its internal/provider are named below).
 */
export const container: Kind = {
  autonamed: true,
  // provider/resources.go of pulumi-docker.
  deleteBeforeReplace: true,
  // Without ForceNew in resource_docker_container.go. Of these, resourceDockerContainerUpdate acts on memory, its swap and the
  // restart policy only; the rest is said to be updated, and is not.
  updatable: ["memory", "memorySwap", "restart", "cpuPeriod", "cpuQuota", "wait", "waitTimeout", "mustRun", "start"],
  async create(inputs) {
    const strange = Object.keys(inputs).filter((key) => flagsOf[key] === undefined);
    if (strange.length > 0) throw new Error(`the stand-in for docker does not know ${strange.join(", ")}`);
    const { image, entrypoints, command, networksAdvanced, uploads, wait, waitTimeout, readOnly, start } = inputs;
    // resource_docker_container_funcs.go, resourceDockerContainerCreate.
    if (((command ?? []) as string[]).includes("")) throw new Error("values for command may not be empty");
    if (readOnly === true && ((uploads ?? []) as Upload[]).length > 0) {
      const said = "Error response from daemon: container rootfs is marked read-only";
      throw new Error(`Unable to upload volume content: ${said}`);
    }
    const [first, ...more] = (networksAdvanced ?? []) as Network[];
    const [program, ...words] = (entrypoints ?? []) as string[];
    const flags = [
      ...Object.entries(inputs).flatMap(([key, value]) => flagsOf[key]?.(value) ?? []),
      ...(first === undefined ? [] : networkFlags(first, "--network-alias").toSpliced(-1, 1, "--network", first.name)),
      ...(program === undefined ? [] : ["--entrypoint", program]),
    ];
    const id = await dockerOk(["create", ...flags, image as string, ...words, ...((command ?? []) as string[])]);
    try {
      for (const one of more) await dockerOk(["network", "connect", ...networkFlags(one, "--alias"), id]);
      for (const upload of (uploads ?? []) as Upload[]) await put(id, upload);
      if (start === false) return { id, outputs: {} };
      await dockerOk(["start", id]);
      if (wait === true) await healthy(id, waitTimeout as number);
    } catch (error) {
      await dockerOk(["rm", "--force", "--volumes", id]);
      throw error;
    }
    return { id, outputs: { hostname: id.slice(0, 12) } };
  },
  // resourceDockerContainerRead: one that has ended is there, but is not what `mustRun` says.
  async read(id, { mustRun }: Properties) {
    const state = await dockerOk(["inspect", "--format", "{{.State.Running}}", id]).catch(() => undefined);
    if (state === undefined) return undefined;
    return { id, outputs: {}, ...(mustRun === true && state === "false" ? { inputs: { mustRun: false } } : {}) };
  },
  async update(id, news, olds) {
    if (news.mustRun === true && olds.mustRun === false) await dockerOk(["start", id]);
    const { memory, memorySwap, restart } = news;
    const [bytes, swap] = [`${memory}m`, `${memorySwap}m`];
    await dockerOk(["update", "--memory", bytes, "--memory-swap", swap, "--restart", restart as string, id]);
    return {};
  },
  async delete(id, { destroyGraceSeconds }: Properties) {
    await dockerOk(["stop", "--time", String(destroyGraceSeconds ?? 0), id]);
    await dockerOk(["rm", "--force", "--volumes", id]);
  },
};

/** Flags and, last, the network's name. */
function networkFlags({ name, aliases = [] }: Network, flag: string): string[] {
  return [...aliases.flatMap((alias) => [flag, alias]), name];
}

async function put(id: string, { file, content, permissions }: Upload): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "stand-in-"));
  const source = join(folder, "file");
  await writeFile(source, content);
  await chmod(source, Number.parseInt(permissions, 8));
  await dockerOk(["cp", source, `${id}:${file}`]).finally(() => rm(folder, { recursive: true }));
}

async function healthy(id: string, seconds: number): Promise<void> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const state = JSON.parse(await dockerOk(["inspect", "--format", "{{json .State}}", id]));
    if (state.Health?.Status === "healthy") return;
    if (state.Status !== "running" || Date.now() > until) {
      throw new Error(`the container is ${state.Status}, ${state.Health?.Status}: ${await logsOf(id)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

const logsOf = (id: string) => dockerOk(["logs", "--tail", "5", id]).catch(String);
