import { type ConfigFile, issueText } from "../../runtime/config/schema/index.ts";
import { defaults as shared } from "../defaults.ts";
import { configIssues } from "../gateway/config-issues.ts";
import type { GatewaySettings } from "../gateway/resolve.ts";
import { InputError } from "../input-error.ts";
import { systemdDefaults as defaults } from "./defaults.ts";
import { ownCredentials } from "./names.ts";

/** A fleet as its gateway knows it: its name, and the JSON of its configuration. */
export interface KnownFleet {
  readonly serverName: string;
  readonly configuration: string;
}

/** Fleets as a gateway's configuration says them, and the files with their tokens by the credential that they become. */
export interface ServedFleets {
  readonly servers: Readonly<Record<string, object>>;
  readonly tokens: Readonly<Record<string, string>>;
}

/** A token that is a file of this machine becomes a credential of the gateway, which can read no file of root's. */
export function servedFleets(fleets: readonly KnownFleet[]): ServedFleets {
  const servers: Record<string, object> = {};
  const tokens: Record<string, string> = {};
  for (const { serverName, configuration } of fleets) {
    const server = JSON.parse(configuration) as { credentials?: { header?: { value?: string } } };
    const value = server.credentials?.header?.value;
    servers[serverName] = server;
    if (value === undefined || !value.startsWith(`file:${defaults.configDirectory}/`)) continue;
    const credential = `${ownCredentials}${serverName}`;
    tokens[credential] = value.slice("file:".length);
    const header = { ...server.credentials?.header, value: `file:${shared.secretsFolder}/${credential}` };
    servers[serverName] = { ...server, credentials: { header } };
  }
  return { servers, tokens };
}

/** The text of a gateway's configuration file. Throws InputError. */
export function gatewayConfigText(
  { component }: Pick<GatewaySettings, "component">,
  settings: Readonly<Record<string, unknown>>,
  servers: ServedFleets["servers"],
): string {
  const { scaling: _, ...own } = settings;
  const gateway = { host: defaults.host, port: defaults.port, ...own };
  const config = { gateway, servers } as ConfigFile;
  const issues = configIssues(config);
  if (issues.length > 0) throw new InputError(component, issues.map(issueText));
  return `${JSON.stringify(config, null, 2)}\n`;
}
