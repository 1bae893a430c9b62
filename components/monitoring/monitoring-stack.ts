import * as pulumi from "@pulumi/pulumi";
import { Platform } from "../platform.ts";
import type { MonitoringStackArgs } from "./args.ts";
import { monitoringOnKubernetes } from "./kubernetes.ts";
import { monitoringOnProcesses } from "./process.ts";
import { resolveMonitoring } from "./resolve.ts";

/**
 * Alerts and a dashboard for a gateway and its fleets: the rules that come with the package, rules of your own, routes to
 * whoever is to hear of them.
 */
export class MonitoringStack extends pulumi.ComponentResource {
  /** Names of the alerts that may be raised. */
  public readonly alerts: pulumi.Output<string[]>;
  /** Where the files for Prometheus, Alertmanager and Grafana are, on `process`; empty elsewhere. */
  public readonly folder: pulumi.Output<string>;

  constructor(name: string, args: MonitoringStackArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-fleet:index:MonitoringStack", name, hidden(args), opts);
    const settings = resolveMonitoring(name, args);
    this.folder = pulumi.output("");
    if (settings.platform === Platform.Kubernetes) monitoringOnKubernetes(this, settings);
    else this.folder = monitoringOnProcesses(this, settings);
    this.alerts = pulumi.output(settings.rules.map(({ alert }) => alert));
    this.registerOutputs({ alerts: this.alerts, folder: this.folder });
  }
}

/** The arguments as they go into the state: addresses and passwords of receivers are encrypted there. */
function hidden(args: MonitoringStackArgs): object {
  const { notifications, senders, alertRules = [], ...rest } = args;
  const secret = { notifications, senders, alertRules };
  return { ...rest, ...Object.fromEntries(Object.entries(secret).map(([key, value]) => [key, pulumi.secret(value)])) };
}
