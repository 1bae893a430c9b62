import * as pulumi from "@pulumi/pulumi";
import {
  InputError,
  type MCPGatewayArgs,
  type MCPNetworkArgs,
  type MCPServerFleetArgs,
  type MonitoringStackArgs,
  Platform,
} from "../index.ts";

/** What a stack's file may say under `mcp-fleet:`; `Pulumi.yaml` describes each key. */
export interface StackConfig {
  /** The gateway's arguments, without its fleets. */
  readonly gateway: Omit<MCPGatewayArgs, "fleets">;
  /** The fleets by name. */
  readonly fleets: Readonly<Record<string, MCPServerFleetArgs>>;
  /** The arguments of what watches the gateway, without that gateway; undefined watches it not. */
  readonly monitoring: Omit<MonitoringStackArgs, "gateway"> | undefined;
  /** The namespace of everything on Kubernetes, made with restricted Pod Security; undefined makes none. */
  readonly namespace: string | undefined;
  /** The network on AWS of whatever names no other `aws.environment`. */
  readonly network: MCPNetworkArgs;
}

/** As `auth` and `session` name one of the stack's secrets. */
const secretsFolder = "file:/run/secrets/mcp-fleet/";
const known = ["gateway", "fleets", "image", "monitoring", "namespace", "network", "secrets"];

/** Reads the stack's configuration. Throws InputError for a key that nothing reads. */
export function readConfig(): StackConfig {
  const project = pulumi.getProject();
  const config = new pulumi.Config();
  const where = `stacks/Pulumi.${pulumi.getStack()}.yaml`;
  for (const key of Object.keys(pulumi.runtime.allConfig())) {
    const [namespace, name] = key.split(":", 2);
    if (namespace === project && !known.includes(name as string)) {
      throw new InputError(where, [
        `${key} is not a known key; known keys are ${known.map((one) => `${project}:${one}`).join(", ")}`,
      ]);
    }
  }
  const fleets = config.getObject<StackConfig["fleets"]>("fleets");
  if (fleets === undefined || Object.keys(fleets).length === 0) {
    throw new InputError(where, [
      `${project}:fleets is missing; name at least one fleet, such as context7: { type: context7 }`,
    ]);
  }
  const secrets = secretsOf(config, project);
  const gateway: StackConfig["gateway"] = {
    ...config.getObject<StackConfig["gateway"]>("gateway"),
    ...(secrets === undefined ? {} : { secrets }),
  };
  // An empty text stands for a key that is not given: a described key must have some default.
  const [image, namespace] = [config.get("image") || undefined, config.get("namespace") || undefined];
  return {
    gateway: placed(gateway, image, namespace),
    fleets: Object.fromEntries(Object.entries(fleets).map(([name, args]) => [name, placed(args, image, namespace)])),
    monitoring: monitoringOf(project, where, namespace, secrets),
    namespace,
    network: config.getObject<MCPNetworkArgs>("network") ?? {},
  };
}

const inContainers: readonly (string | undefined)[] = [Platform.Docker, Platform.Kubernetes, Platform.Aws];

/** Arguments with the stack's image and namespace, where they say neither and their platform has such a thing. */
function placed<
  Args extends Pick<MCPServerFleetArgs, "platform" | "endpoints" | "discovery" | "container" | "kubernetes">,
>(args: Args, image: string | undefined, namespace: string | undefined): Args {
  const { platform, endpoints, discovery } = args;
  if (!inContainers.includes(platform) || (endpoints ?? discovery) !== undefined) return args;
  const container = { ...(image === undefined ? {} : { image }), ...args.container };
  if (platform !== Platform.Kubernetes) return { ...args, container };
  return { ...args, container, kubernetes: { ...(namespace === undefined ? {} : { namespace }), ...args.kubernetes } };
}

/** What watches the gateway, if anything: its receivers, which may be secret, are so again as arguments of the component. */
function monitoringOf(
  project: string,
  where: string,
  namespace: string | undefined,
  secrets: Readonly<Record<string, pulumi.Output<string>>> = {},
): StackConfig["monitoring"] {
  const text = pulumi.runtime.allConfig()[`${project}:monitoring`] ?? "{}";
  const args = JSON.parse(text) as Omit<MonitoringStackArgs, "gateway">;
  if (Object.keys(args).length === 0) return undefined;
  const place = args.platform === Platform.Systemd ? "systemd" : "docker";
  const reference = args[place]?.token;
  if (typeof reference === "string" && reference.startsWith(secretsFolder)) {
    const name = reference.slice(secretsFolder.length);
    const token = secrets[name];
    if (token !== undefined) return { ...args, [place]: { ...args[place], token } };
    const at = `${project}:monitoring.${place}.token`;
    throw new InputError(where, [
      `${at} names the secret "${name}", which is not given; add ${project}:secrets.${name}`,
    ]);
  }
  if (args.platform !== Platform.Kubernetes || namespace === undefined) return args;
  return { ...args, kubernetes: { namespace, ...args.kubernetes } };
}

/** Secrets by name: the names are plain, and decide what is made; the values stay encrypted. */
function secretsOf(config: pulumi.Config, project: string): Record<string, pulumi.Output<string>> | undefined {
  const text = pulumi.runtime.allConfig()[`${project}:secrets`];
  if (text === undefined) return undefined;
  const values = config.requireSecretObject<Record<string, string>>("secrets");
  const names = Object.keys(JSON.parse(text) as object);
  if (names.length === 0) return undefined;
  return Object.fromEntries(names.map((name) => [name, values.apply((all) => all[name] as string)]));
}
