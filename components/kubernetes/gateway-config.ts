import * as pulumi from "@pulumi/pulumi";
import { type ConfigFile, issueText } from "../../runtime/config/schema/index.ts";
import { configIssues } from "../gateway/config-issues.ts";
import type { GatewaySettings } from "../gateway/resolve.ts";
import { InputError } from "../input-error.ts";
import { kubernetesDefaults as defaults } from "./defaults.ts";

/**
 * The text of a gateway's configuration file: its own settings, and every fleet as that fleet says it is reached.
 * Checked as soon as everything in it is known; throws InputError then. `namespace` is the one that its Service is in.
 */
export function gatewayConfig(
  { component, name, common, args }: GatewaySettings,
  namespace: pulumi.Input<string>,
): pulumi.Output<string> {
  const { scaling, ...settings } = common;
  const { ingress, httpRoute } = args.kubernetes ?? {};
  const fleets = args.fleets.map(({ serverName, configuration }) => ({ serverName, configuration }));
  const hosts = [ingress?.host, httpRoute?.host].filter((host) => host !== undefined);
  return pulumi.output({ settings, namespace, fleets, hosts }).apply((known) => {
    const { allowedHosts = [], ...own } = known.settings as Readonly<Record<string, unknown>>;
    const config = {
      gateway: {
        lingerMs: defaults.lingerMs,
        ...own,
        host: "0.0.0.0",
        port: defaults.gatewayPort,
        allowedHosts: [...(allowedHosts as string[]), ...serviceNames(name, known.namespace), ...known.hosts],
      },
      servers: Object.fromEntries(
        known.fleets.map(({ serverName, configuration }) => [serverName, JSON.parse(configuration as string)]),
      ),
    } as ConfigFile;
    const issues = configIssues(config);
    if (issues.length > 0) throw new InputError(component, issues.map(issueText));
    return `${JSON.stringify(config, null, 2)}\n`;
  });
}

/** Every name by which a pod can call a Service. */
function serviceNames(name: string, namespace: string): string[] {
  return [name, `${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`];
}
