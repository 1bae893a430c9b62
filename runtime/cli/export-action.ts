import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import type { GatewaySettings } from "../../components/gateway/resolve.ts";
import type { MCPGatewayArgs, MCPServerFleetArgs, MonitoringStackArgs } from "../../index.ts";
import { SourceFile } from "../config/source-file.ts";
import { FleetError, messageOf } from "../errors.ts";

/** Options of `mcp-fleet export compose`. */
export interface ComposeOptions {
  readonly stack: string;
  readonly project: string;
  readonly out: string;
}

interface StackConfig {
  readonly gateway: MCPGatewayArgs;
  readonly fleets: Readonly<Record<string, MCPServerFleetArgs>>;
  readonly image: string | undefined;
  readonly monitoring: Omit<MonitoringStackArgs, "gateway"> | undefined;
}

/**
 * Writes `compose.yaml` and the configurations beside it. The one place of the runtime that looks into the components: the
 * file is to be what they declare. Rejects with CONFIG_UNREADABLE or CONFIG_INVALID.
 */
export async function exportCompose({ stack, project, out }: ComposeOptions): Promise<void> {
  const file = join(project, "stacks", `Pulumi.${stack}.yaml`);
  const { name } = (await SourceFile.read(join(project, "Pulumi.yaml"))).value as { name: string };
  const { gateway, fleets, image, monitoring } = stackConfig((await SourceFile.read(file)).value, name);
  const { composeExport, exportedWatchers, resolveFleet, resolveGateway, resolveMonitoring } = await import(
    "../../components/docker/exporting.ts"
  );
  const scope = `${name}-${stack}`;
  const watched = checked(() => monitoring && resolveMonitoring("monitoring", exportable(monitoring, gateway)), file);
  const watchers = watched === undefined ? [] : await exportedWatchers(scope, "gateway", watched);
  const settings = () => {
    const placed = Object.entries(fleets).map(([key, args]) => resolveFleet(key, withImage(args, image)));
    const stub = placed.map(({ name: serverName }) => ({ serverName }));
    const front: GatewaySettings = resolveGateway("gateway", { ...withImage(gateway, image), fleets: stub });
    return composeExport(scope, front, placed, watchers);
  };
  const { compose, files, secretFiles } = checked(settings, file);
  await mkdir(out, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(out, dirname(path)), { recursive: true });
    await writeFile(join(out, path), text);
  }
  await writeFile(join(out, "compose.yaml"), stringify(compose, { lineWidth: 0 }));
  process.stdout.write(`${join(out, "compose.yaml")}: ${Object.keys(compose.services).length} services\n`);
  for (const secret of secretFiles) process.stdout.write(`write the secret ${join(out, secret)}, readable for all\n`);
}

/** What a stack's file says. A secret's value is encrypted there: here only its name counts. */
function stackConfig(value: unknown, project: string): StackConfig {
  const { config = {} } = (value ?? {}) as { config?: Record<string, unknown> };
  const {
    gateway = {} as MCPGatewayArgs,
    fleets = {},
    image,
    secrets = {},
    monitoring,
  } = Object.fromEntries(
    Object.entries(config).map(([key, item]) => [key.slice(project.length + 1), item]),
  ) as Partial<StackConfig> & { secrets?: Record<string, unknown> };
  const { auth, session } = gateway;
  const named = [...JSON.stringify({ auth, session }).matchAll(/file:\/run\/secrets\/mcp-fleet\/([-._A-Za-z0-9]+)/g)];
  const names = new Set([...Object.keys(secrets), ...named.map((match) => match[1] as string)]);
  const given = names.size === 0 || gateway.docker?.secretFiles !== undefined ? {} : { secrets: blanks(names) };
  return { gateway: { ...gateway, ...given }, fleets, image, monitoring };
}

/** What watches the gateway, where its secrets are files that the user writes. Throws for what is encrypted and stands in a configuration. */
function exportable(monitoring: Omit<MonitoringStackArgs, "gateway">, { tls }: MCPGatewayArgs): MonitoringStackArgs {
  const { docker = {}, ...rest } = monitoring;
  const { token, grafana } = docker;
  if (JSON.stringify(rest).includes('"secure":')) {
    const fix = "give it in the open, or remove it and write receivers into alertmanager/alertmanager.yml";
    throw new Error(`mcp-fleet:monitoring has a receiver that is encrypted, which only Pulumi reads; ${fix}`);
  }
  const scheme = tls === undefined ? "http" : "https";
  return {
    ...rest,
    gateway: { metricsTarget: `${scheme}://gateway:8080/metrics` },
    docker: {
      ...docker,
      ...(token === undefined ? {} : { token: written }),
      ...(grafana === undefined ? {} : { grafana: { ...grafana, adminPassword: written } }),
    },
  };
}

/** Stands for a secret that is a file of the user's. */
const written = "a file";
const blanks = (names: ReadonlySet<string>) => Object.fromEntries([...names].map((name) => [name, ""]));

function withImage<Args extends Pick<MCPServerFleetArgs, "endpoints" | "container">>(
  args: Args,
  image: string | undefined,
): Args {
  if (args.endpoints !== undefined || image === undefined) return args;
  return { ...args, container: { image, ...args.container } };
}

/** The components' own errors name component, field, value and fix; here the file is said as well. */
function checked<T>(work: () => T, file: string): T {
  try {
    return work();
  } catch (error) {
    throw new FleetError("CONFIG_INVALID", `${file}: ${messageOf(error)}`, { cause: error });
  }
}
