import { isLater } from "./holds-outputs.ts";
import { Platform } from "./platform.ts";

/** Lists and objects of each platform's block whose items or keys decide what is made. */
const inBlocks: Readonly<Record<Platform, readonly string[]>> = {
  [Platform.Process]: [],
  [Platform.Systemd]: ["secretFiles"],
  [Platform.Docker]: ["secretFiles"],
  [Platform.Kubernetes]: [
    "podAnnotations",
    "serviceAnnotations",
    "envConfigMaps",
    "envSecrets",
    "volumes",
    "imagePullSecrets",
    "tolerations",
    "nodeSelector",
    "serviceAccountAnnotations",
    "existingSecret.keys",
    "externalSecret.keys",
    "network.ingressNamespaces",
    "network.ingressCidrs",
    "network.egressNamespaces",
    "network.egressCidrs",
    "network.egressPorts",
    "network.apiPorts",
    "network.dns.cidrs",
    "network.dns.ports",
  ],
  [Platform.Aws]: ["ingressCidrs", "egressCidrs"],
};
const inFleets = ["container.env", "container.secretEnv", "scaling", "discovery"];
const inGateways = ["fleets", "container", "scaling", "secrets"];
const inStacks = ["alertRules", "notifications.email", "senders", "thresholds", "slo", "tags", "kubernetes.labels"];

/** Parts of a fleet's arguments that must be known now, and are outputs. */
export const laterInFleet = (platform: Platform, args: object): string[] => later(args, [...inFleets, ...of(platform)]);

/** The same of a gateway. */
export const laterInGateway = (platform: Platform, args: object): string[] =>
  later(args, [...inGateways, ...of(platform)]);

/** The same of a stack that watches. */
export const laterInStack = (args: object): string[] => later(args, inStacks);

const of = (platform: Platform): string[] => inBlocks[platform].map((field) => `${platform}.${field}`);

function later(args: object, fields: readonly string[]): string[] {
  const found = fields.flatMap((field) => firstOutput(args, field) ?? []);
  return [...new Set(found)].map(
    (field) =>
      `${field} is known only later, but its items or keys decide what is made; give them now, with outputs as values`,
  );
}

/** The first part on the way to a field that is an output. */
function firstOutput(args: object, field: string): string | undefined {
  const keys = field.split(".");
  let value: unknown = args;
  for (const [index, key] of keys.entries()) {
    value = (value as Readonly<Record<string, unknown>>)[key];
    if (isLater(value)) return keys.slice(0, index + 1).join(".");
    if (typeof value !== "object" || value === null) return undefined;
  }
  return undefined;
}
