import { defaults } from "../defaults.ts";
import { knownPart } from "../known-part.ts";
import { Platform } from "../platform.ts";
import type { MCPServerFleetArgs } from "./args.ts";
import { externalScaling } from "./scaling-rules.ts";

/** Does something else run this fleet's servers? Then nothing is deployed for it. */
export function isExternal({ endpoints, discovery }: Pick<MCPServerFleetArgs, "endpoints" | "discovery">): boolean {
  return (endpoints ?? discovery) !== undefined;
}

/** Where a gateway of each platform can look for instances: a Docker host's socket or a cluster's API is not everywhere. */
const finds: Readonly<Partial<Record<Platform, readonly string[]>>> = {
  [Platform.Systemd]: ["static", "dns"],
  [Platform.Docker]: ["static", "dns"],
  [Platform.Kubernetes]: ["static", "dns", "kubernetes"],
  [Platform.Aws]: ["static", "dns"],
};

/** Every mistake in a fleet that something else runs: blocks of what would run it, and ways to find it that do not work here. */
export function externalProblems(platform: Platform, args: MCPServerFleetArgs): string[] {
  const { container, endpoints, discovery = {} } = args;
  const block = (args as Partial<Record<Platform, unknown>>)[platform];
  const source = endpoints === undefined ? "discovery" : "endpoints";
  const needless = Object.entries({ container, [platform]: block }).filter(([, value]) => value !== undefined);
  const problems = needless.map(
    ([key]) => `${key} stands beside ${source}, which something else runs; remove one of the two`,
  );
  const known = finds[platform];
  for (const key of Object.keys(discovery)) {
    if (known === undefined || known.includes(key)) continue;
    const fix = `use one of ${known.map((one) => `discovery.${one}`).join(", ")}`;
    problems.push(`discovery.${key} is given, but a gateway on the platform "${platform}" cannot look there; ${fix}`);
  }
  return [...problems, ...externalScaling(args), ...tlsFileProblems(platform, args)];
}

const inSecrets = new RegExp(`^${defaults.secretsFolder}/[-._A-Za-z0-9]+$`);

/** Files that the gateway of this platform would not have. */
function tlsFileProblems(platform: Platform, { tls }: MCPServerFleetArgs): string[] {
  if (platform === Platform.Process) return [];
  const { caFile, certFile, keyFile } = (knownPart(tls) ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries({ caFile, certFile, keyFile }).flatMap(([key, file]) => {
    if (file === undefined) return [];
    if (platform === Platform.Aws) {
      return [`tls.${key} is "${file}", but secrets are no files on ECS; remove it, or run the gateway elsewhere`];
    }
    if (inSecrets.test(file as string)) return [];
    const fix = `add its content to the gateway's secrets, and write ${defaults.secretsFolder}/NAME`;
    return [`tls.${key} is "${file}", which the gateway does not have; ${fix}`];
  });
}
