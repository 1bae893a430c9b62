import type * as pulumi from "@pulumi/pulumi";
import type { NotificationArgs, SendersArgs } from "./args.ts";
import { monitoringDefaults as defaults } from "./defaults.ts";
import type { Rule } from "./rule.ts";

/** What routes are made of; may hold outputs. */
export interface RoutingSettings {
  readonly rules: readonly Rule[];
  readonly notifications: NotificationArgs | undefined;
  readonly senders: SendersArgs | undefined;
}

/** A text that others must not read: the value itself in a file, a key of a Secret on Kubernetes. */
export interface HiddenText {
  /** Letters, digits, hyphens; one for each text of a stack. */
  readonly key: string;
  readonly value: pulumi.Input<string>;
}

/** By what one receiver is told; what is undefined is not used. */
export interface Receiver {
  readonly name: string;
  readonly webhook: HiddenText | undefined;
  readonly slack:
    | { readonly url: HiddenText; readonly channel: string; readonly title: string; readonly text: string }
    | undefined;
  /** One for each address. */
  readonly email: readonly {
    readonly to: string;
    readonly from: pulumi.Input<string>;
    readonly smarthost: pulumi.Input<string>;
    readonly username: pulumi.Input<string> | undefined;
    readonly password: HiddenText | undefined;
  }[];
}

/** Alerts by the name that they have, or by a pattern of names. */
export interface AlertMatch {
  readonly operator: "=" | "=~";
  readonly alerts: string;
}

/** Who hears of which alert: the one description that each form of Alertmanager's configuration is written from. */
export interface Routing {
  /** Receiver of what no route takes. */
  readonly receiver: string;
  /** Labels of alerts that are told together. */
  readonly groupBy: readonly string[];
  /** Durations of Prometheus: how long a group waits for more, between changes, and before it is told again. */
  readonly groupWait: string;
  readonly groupInterval: string;
  readonly repeatInterval: string;
  /** The first that matches takes an alert. */
  readonly routes: readonly { readonly match: AlertMatch; readonly receiver: string }[];
  /** Alerts that are not told of while another one of the same labels fires. */
  readonly inhibitions: readonly {
    readonly source: AlertMatch;
    readonly target: AlertMatch;
    readonly equal: readonly string[];
  }[];
  readonly receivers: readonly Receiver[];
}

const nobody = "nobody";
const everybody = "everybody";

/** One receiver for the stack, one for each rule that has its own. */
export function routing({ rules, notifications, senders = {} }: RoutingSettings): Routing {
  const own = rules.filter((rule) => rule.notifications !== undefined);
  return {
    receiver: notifications === undefined ? nobody : everybody,
    groupBy: ["alertname", "server"],
    groupWait: "10s",
    groupInterval: "1m",
    repeatInterval: `${defaults.repeatHours}h`,
    routes: [
      // It fires all the time: whoever wants to be told when it stops listens to it in Alertmanager.
      { match: named("McpWatchdog"), receiver: nobody },
      ...own.map(({ alert }) => ({ match: named(alert), receiver: alert })),
    ],
    // A server that is down fails its calls as well: one alert says it.
    inhibitions: [
      {
        source: named("McpServerDown"),
        target: { operator: "=~", alerts: "McpErrorRateHigh|McpCircuitOpen|McpInstancesLost|McpObjectiveAtRisk.*" },
        equal: ["server"],
      },
    ],
    receivers: [
      { name: nobody, webhook: undefined, slack: undefined, email: [] },
      ...(notifications === undefined ? [] : [receiver(everybody, "webhook", notifications, senders)]),
      ...own.map(({ alert, notifications: told = {} }) => receiver(alert, `webhook-${alert}`, told, senders)),
    ],
  };
}

/** Every text of the receivers that others must not read, by its key. */
export function hiddenTexts({ receivers }: Routing): Record<string, pulumi.Input<string>> {
  const texts = receivers.flatMap(({ webhook, slack, email }) => [
    webhook,
    slack?.url,
    ...email.map(({ password }) => password),
  ]);
  const given = texts.filter((text) => text !== undefined);
  return Object.fromEntries(given.map(({ key, value }) => [key, value]));
}

const named = (alert: string): AlertMatch => ({ operator: "=", alerts: alert });

function receiver(
  name: string,
  webhookKey: string,
  { webhook, email = [], slack }: NotificationArgs,
  { email: mail, slackUrl }: SendersArgs,
): Receiver {
  return {
    name,
    webhook: hiddenText(webhookKey, webhook),
    slack:
      slack === undefined
        ? undefined
        : {
            // Checked before: a channel needs Slack's webhook, an address needs a mail server.
            url: { key: "slack-url", value: slackUrl as pulumi.Input<string> },
            channel: slack,
            title: "{{ .CommonLabels.severity }}: {{ .CommonLabels.alertname }}",
            text: "{{ range .Alerts }}{{ .Annotations.summary }} {{ .Annotations.runbook_url }}\n{{ end }}",
          },
    email: email.map((to) => ({
      to,
      from: mail?.from as pulumi.Input<string>,
      smarthost: mail?.smarthost as pulumi.Input<string>,
      username: mail?.username,
      password: hiddenText("email-password", mail?.password),
    })),
  };
}

const hiddenText = (key: string, value: pulumi.Input<string> | undefined): HiddenText | undefined =>
  value === undefined ? undefined : { key, value };
