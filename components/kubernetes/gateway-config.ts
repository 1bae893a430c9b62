import * as pulumi from "@pulumi/pulumi";
import { type ConfigFile, issueText } from "../../runtime/config/schema/index.ts";
import { configIssues } from "../gateway/config-issues.ts";
import type { GatewaySettings } from "../gateway/resolve.ts";
import { InputError } from "../input-error.ts";
import { kubernetesDefaults as defaults } from "./defaults.ts";
import { type KnownEgress, unreachedProblems } from "./reach.ts";

/** What a gateway's configuration file is made of, everything known. */
export interface KnownGateway {
  readonly component: string;
  /** Name of its Service. */
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** The one that its Service is in. */
  readonly namespace: string;
  readonly fleets: readonly { readonly serverName: string; readonly configuration: string | undefined }[];
  /** Names by which clients call what stands in front of it. */
  readonly hosts: readonly string[];
  readonly network: KnownEgress;
}

/**
 * The text of a gateway's configuration file: its own settings, and every fleet as that fleet says it is reached.
 * Checked as soon as everything in it is known. `namespace` is the one that its Service is in.
 */
export function gatewayConfig(
  { component, name, common, args }: GatewaySettings,
  namespace: pulumi.Input<string>,
): pulumi.Output<string> {
  const { scaling, ...settings } = common;
  const { ingress, httpRoute, network = {} } = args.kubernetes ?? {};
  const objectName = args.kubernetes?.objectName ?? name;
  const fleets = args.fleets.map(({ serverName, configuration }) => ({ serverName, configuration }));
  const hosts = [ingress?.host, httpRoute?.host].filter((host) => host !== undefined);
  return pulumi.output({ component, name: objectName, settings, namespace, fleets, hosts, network }).apply(configText);
}

/** The same when everything is known. Throws InputError. */
export function configText({ component, name, settings, namespace, fleets, hosts, network }: KnownGateway): string {
  const { allowedHosts = [], ...own } = settings;
  const config = {
    gateway: {
      lingerMs: defaults.lingerMs,
      ...own,
      host: "0.0.0.0",
      port: defaults.gatewayPort,
      allowedHosts: [...(allowedHosts as string[]), ...serviceNames(name, namespace), ...hosts],
    },
    servers: Object.fromEntries(
      fleets.map(({ serverName, configuration }) => [serverName, JSON.parse(configuration as string)]),
    ),
  } as ConfigFile;
  const issues = configIssues(config);
  const problems = issues.length > 0 ? issues.map(issueText) : unreachedProblems(config, network);
  if (problems.length > 0) throw new InputError(component, problems);
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Every name by which a pod can call a Service. */
function serviceNames(name: string, namespace: string): string[] {
  return [name, `${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`];
}
