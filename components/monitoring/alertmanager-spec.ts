import type { RoutingSettings } from "./alertmanager.ts";
import type { NotificationArgs, SendersArgs } from "./args.ts";
import { monitoringDefaults as defaults } from "./defaults.ts";

const everybody = "everybody";
const nobody = "nobody";

/** The same routes as `alertmanagerConfig`, in the words of an AlertmanagerConfig (monitoring.coreos.com/v1alpha1). */
export function alertmanagerSpec({ rules, notifications, senders }: RoutingSettings, secretName: string): object {
  const own = rules.filter((rule) => rule.notifications !== undefined);
  const equal = (alert: string) => [{ name: "alertname", matchType: "=", value: alert }];
  return {
    route: {
      receiver: notifications === undefined ? nobody : everybody,
      groupBy: ["alertname", "server"],
      groupWait: "10s",
      groupInterval: "1m",
      repeatInterval: `${defaults.repeatHours}h`,
      routes: [
        { matchers: equal("McpWatchdog"), receiver: nobody },
        ...own.map(({ alert }) => ({ matchers: equal(alert), receiver: alert })),
      ],
    },
    inhibitRules: [
      {
        sourceMatch: equal("McpServerDown"),
        targetMatch: [
          {
            name: "alertname",
            matchType: "=~",
            value: "McpErrorRateHigh|McpCircuitOpen|McpInstancesLost|McpObjectiveAtRisk.*",
          },
        ],
        equal: ["server"],
      },
    ],
    receivers: [
      { name: nobody },
      ...(notifications === undefined ? [] : [receiver(everybody, "webhook", notifications, senders, secretName)]),
      ...own.map(({ alert, notifications: told = {} }) =>
        receiver(alert, `webhook-${alert}`, told, senders, secretName),
      ),
    ],
  };
}

function receiver(
  name: string,
  webhookKey: string,
  { webhook, email, slack }: NotificationArgs,
  senders: SendersArgs = {},
  secretName: string,
): object {
  const secret = (key: string) => ({ name: secretName, key });
  const { from, smarthost, username, password } = senders.email ?? {};
  return {
    name,
    ...(webhook === undefined ? {} : { webhookConfigs: [{ urlSecret: secret(webhookKey), sendResolved: true }] }),
    ...(slack === undefined
      ? {}
      : { slackConfigs: [{ apiURL: secret("slack-url"), channel: slack, sendResolved: true }] }),
    ...(email === undefined
      ? {}
      : {
          emailConfigs: email.map((to) => ({
            ...{ to, from, smarthost, sendResolved: true },
            ...(username === undefined ? {} : { authUsername: username }),
            ...(password === undefined ? {} : { authPassword: secret("email-password") }),
          })),
        }),
  };
}
