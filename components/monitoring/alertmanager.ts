import type * as pulumi from "@pulumi/pulumi";
import type { NotificationArgs, SendersArgs } from "./args.ts";
import { monitoringDefaults as defaults } from "./defaults.ts";
import type { Rule } from "./rule.ts";

/** Everything that Alertmanager's configuration is made of. */
export interface RoutingSettings {
  readonly rules: readonly Rule[];
  readonly notifications: NotificationArgs | undefined;
  readonly senders: SendersArgs | undefined;
}

/** The same with every output known. */
export type KnownRouting = pulumi.Unwrap<RoutingSettings>;
type KnownNotification = NonNullable<KnownRouting["notifications"]>;

const nobody = "nobody";
const everybody = "everybody";

/** Alertmanager's configuration: one receiver for the stack, one for each rule that has its own. */
export function alertmanagerConfig({ rules, notifications, senders }: KnownRouting): object {
  const own = rules.filter((rule) => rule.notifications !== undefined);
  const to = notifications === undefined ? nobody : everybody;
  return {
    route: {
      receiver: to,
      group_by: ["alertname", "server"],
      group_wait: "10s",
      group_interval: "1m",
      repeat_interval: `${defaults.repeatHours}h`,
      routes: [
        // It fires all the time: whoever wants to be told when it stops listens to it in Alertmanager.
        { matchers: ['alertname="McpWatchdog"'], receiver: nobody },
        ...own.map(({ alert }) => ({ matchers: [`alertname="${alert}"`], receiver: alert })),
      ],
    },
    // A server that is down fails its calls as well: one alert says it.
    inhibit_rules: [
      {
        source_matchers: ['alertname="McpServerDown"'],
        target_matchers: ['alertname=~"McpErrorRateHigh|McpCircuitOpen|McpInstancesLost|McpObjectiveAtRisk.*"'],
        equal: ["server"],
      },
    ],
    receivers: [
      { name: nobody },
      ...(notifications === undefined ? [] : [receiver(everybody, notifications, senders)]),
      ...own.map((rule) => receiver(rule.alert, rule.notifications as KnownNotification, senders)),
    ],
  };
}

function receiver(
  name: string,
  { webhook, email, slack }: KnownNotification,
  senders: KnownRouting["senders"] = {},
): object {
  const { from, smarthost, username, password } = senders.email ?? {};
  const title = "{{ .CommonLabels.severity }}: {{ .CommonLabels.alertname }}";
  const text = "{{ range .Alerts }}{{ .Annotations.summary }} {{ .Annotations.runbook_url }}\n{{ end }}";
  return {
    name,
    ...(webhook === undefined ? {} : { webhook_configs: [{ url: webhook, send_resolved: true }] }),
    ...(slack === undefined
      ? {}
      : { slack_configs: [{ api_url: senders.slackUrl, channel: slack, title, text, send_resolved: true }] }),
    ...(email === undefined
      ? {}
      : {
          email_configs: email.map((address) => ({
            ...{ to: address, from, smarthost, send_resolved: true },
            ...(username === undefined ? {} : { auth_username: username, auth_password: password }),
          })),
        }),
  };
}
