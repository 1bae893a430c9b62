import * as pulumi from "@pulumi/pulumi";
import type { MonitoringStackArgs } from "./args.ts";
import { monitoringPlatforms } from "./platforms.ts";
import { resolveMonitoring } from "./resolve.ts";

/**
 * Alerts and a dashboard for a gateway and its fleets: the rules that come with the package, rules of your own, routes to
 * whoever is to hear of them.
 */
export class MonitoringStack extends pulumi.ComponentResource {
  /** Names of the alerts that may be raised. */
  public readonly alerts: pulumi.Output<string[]>;
  /** Where the files for Prometheus, Alertmanager and Grafana are; empty where there are none. */
  public readonly folder: pulumi.Output<string>;
  /** Where Prometheus answers; empty where the stack runs none. */
  public readonly prometheusUrl: pulumi.Output<string>;
  /** Where Alertmanager answers; empty where the stack runs none. */
  public readonly alertmanagerUrl: pulumi.Output<string>;
  /** Where the dashboard is shown; empty where the stack shows none. */
  public readonly dashboardUrl: pulumi.Output<string>;
  /** Topic of SNS in which alerts are said, on `aws`; empty elsewhere. */
  public readonly topicArn: pulumi.Output<string>;

  constructor(name: string, args: MonitoringStackArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-fleet:index:MonitoringStack", name, hidden(args), opts);
    const settings = resolveMonitoring(name, args);
    const deployed = monitoringPlatforms[settings.platform](this, settings);
    this.alerts = pulumi.output(settings.rules.map(({ alert }) => alert));
    this.folder = deployed.folder ?? pulumi.output("");
    this.prometheusUrl = deployed.prometheusUrl ?? pulumi.output("");
    this.alertmanagerUrl = deployed.alertmanagerUrl ?? pulumi.output("");
    this.dashboardUrl = deployed.dashboardUrl ?? pulumi.output("");
    this.topicArn = deployed.topicArn ?? pulumi.output("");
    const { alerts, folder, prometheusUrl, alertmanagerUrl, dashboardUrl, topicArn } = this;
    this.registerOutputs({ alerts, folder, prometheusUrl, alertmanagerUrl, dashboardUrl, topicArn });
  }
}

/** The arguments as they go into the state: addresses of receivers, passwords and tokens are encrypted there. */
function hidden(args: MonitoringStackArgs): object {
  const { notifications, senders, alertRules = [], docker, systemd, ...rest } = args;
  const blocks = { ...(docker === undefined ? {} : { docker }), ...(systemd === undefined ? {} : { systemd }) };
  const secret = { notifications, senders, alertRules, ...blocks };
  return { ...rest, ...Object.fromEntries(Object.entries(secret).map(([key, value]) => [key, pulumi.secret(value)])) };
}
