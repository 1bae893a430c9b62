import { defaults } from "../defaults.ts";
import { knownPart } from "../known-part.ts";
import { Platform } from "../platform.ts";
import type { MCPGatewayArgs } from "./args.ts";

type ContainerPlatform =
  | typeof Platform.Systemd
  | typeof Platform.Docker
  | typeof Platform.Kubernetes
  | typeof Platform.Aws;

/** Where a gateway's container may write what it keeps; the rest of its files cannot be changed. */
const writable: Readonly<Record<ContainerPlatform, string>> = {
  [Platform.Systemd]: "/var/lib/mcp-fleet/",
  [Platform.Docker]: "/var/lib/mcp-fleet/",
  [Platform.Kubernetes]: "/tmp/",
  [Platform.Aws]: "/tmp/",
};

const inSecrets = new RegExp(`^${defaults.secretsFolder}/[-._A-Za-z0-9]+$`);

/**
 * Every file that a gateway's settings name and that its container would not have, or could not write. `given` are the
 * names of its secrets. Found now, because the container would only say it when it does not start.
 */
export function containerFileProblems(
  platform: ContainerPlatform,
  args: MCPGatewayArgs,
  given: readonly string[],
): string[] {
  const { auth, authorization, session, shared, tls, audit } = args;
  const settings = knownPart({ auth, authorization, session, shared, tls, audit }) as Partial<MCPGatewayArgs>;
  const problems: string[] = [];
  const place = platform === Platform.Systemd ? "service" : "container";
  const { certFile, keyFile, clientCaFile } = (settings.tls ?? {}) as Readonly<Record<string, unknown>>;
  const read: Record<string, unknown> = {
    "tls.certFile": certFile,
    "tls.keyFile": keyFile,
    "tls.clientCaFile": clientCaFile,
  };
  const issuers = (settings.auth?.jwt ?? []) as readonly { readonly jwksFile?: unknown }[];
  for (const [index, { jwksFile }] of issuers.entries()) read[`auth.jwt[${index}].jwksFile`] = jwksFile;
  if (platform === Platform.Aws) {
    const fix = "the load balancer has the certificate (aws.certificateArn, aws.dns); remove tls";
    if (tls !== undefined) problems.push(`tls is given, but ${fix}`);
    for (const [field, file] of Object.entries(read)) {
      if (file === undefined || field.startsWith("tls.")) continue;
      problems.push(`${field} is "${file}", but secrets are no files on ECS; give the address of the keys as jwksUri`);
    }
  } else {
    for (const [field, file] of Object.entries(read)) {
      if (file === undefined || inSecrets.test(file as string)) continue;
      const fix = `add its content to secrets, and write ${defaults.secretsFolder}/NAME`;
      problems.push(`${field} is "${file}", which is not in the ${place}; ${fix}`);
    }
    if (tls?.requireClientCert === true && platform !== Platform.Systemd) {
      const fix = "leave it out: auth.clientCertificates lets no other caller in either";
      problems.push(`tls.requireClientCert is true, but checks of health hold no certificate; ${fix}`);
    }
  }
  const kept = settings.audit?.file;
  if (kept !== undefined && !(kept as string).startsWith(writable[platform])) {
    const fix = `write it beneath ${writable[platform]}`;
    problems.push(`audit.file is "${kept}", where the ${place} cannot write; ${fix}`);
  }
  return [...problems, ...referenceProblems(settings, given)];
}

/** A reference to a secret that nobody gives would keep the container from starting, later and with fewer words. */
function referenceProblems(settings: object, given: readonly string[]): string[] {
  const texts = JSON.stringify(settings);
  const named = [...texts.matchAll(new RegExp(`"(?:file:)?${defaults.secretsFolder}/([-._A-Za-z0-9]+)"`, "g"))].map(
    (match) => match[1] as string,
  );
  return [...new Set(named)]
    .filter((name) => !given.includes(name))
    .map((name) => `a reference names the secret "${name}", which is not given; add secrets.${name}, or correct it`);
}
