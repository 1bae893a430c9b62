import { describe, expect, test } from "@jest/globals";
import { alertmanagerConfig } from "../../../components/monitoring/alertmanager.ts";
import { alertmanagerSpec } from "../../../components/monitoring/alertmanager-spec.ts";
import type { NotificationArgs, SendersArgs } from "../../../components/monitoring/args.ts";
import { hiddenTexts, routing } from "../../../components/monitoring/routing.ts";
import { userRule } from "../../../components/monitoring/user-rules.ts";
import { testWith } from "../../support/needs.ts";
import { check } from "./promtool.ts";

const sender = { smarthost: "smtp.example.com:587", from: "mcp@example.com" };
const senders: SendersArgs = {
  email: { ...sender, username: "mcp", password: "mail-password" },
  slackUrl: "https://hooks.slack.example/T/B/x",
};
const rule = userRule({
  ...{ name: "High Error Rate", metric: "mcp_server_error_rate", condition: "gt", threshold: 0.05, severity: "high" },
  notifications: { webhook: "https://alerts.example.com/rule", email: ["a@example.com"], slack: "#alerts" },
});
const silent = userRule({ name: "told with all", metric: "m", condition: "gt", threshold: 1, severity: "low" });
const notifications: NotificationArgs = { webhook: "https://alerts.example.com/all", slack: "#all" };
const everything = routing({ rules: [silent, rule], notifications, senders });
const title = "{{ .CommonLabels.severity }}: {{ .CommonLabels.alertname }}";
const text = "{{ range .Alerts }}{{ .Annotations.summary }} {{ .Annotations.runbook_url }}\n{{ end }}";

test("the file: one receiver for the stack, one for each rule that has its own", () => {
  expect(alertmanagerConfig(everything)).toEqual({
    route: {
      ...{ receiver: "everybody", group_by: ["alertname", "server"] },
      ...{ group_wait: "10s", group_interval: "1m", repeat_interval: "4h" },
      routes: [
        { matchers: ['alertname="McpWatchdog"'], receiver: "nobody" },
        { matchers: ['alertname="HighErrorRate"'], receiver: "HighErrorRate" },
      ],
    },
    inhibit_rules: [
      {
        source_matchers: ['alertname="McpServerDown"'],
        target_matchers: ['alertname=~"McpErrorRateHigh|McpCircuitOpen|McpInstancesLost|McpObjectiveAtRisk.*"'],
        equal: ["server"],
      },
    ],
    receivers: [
      { name: "nobody" },
      {
        name: "everybody",
        webhook_configs: [{ url: "https://alerts.example.com/all", send_resolved: true }],
        slack_configs: [{ api_url: senders.slackUrl, channel: "#all", title, text, send_resolved: true }],
      },
      {
        name: "HighErrorRate",
        webhook_configs: [{ url: "https://alerts.example.com/rule", send_resolved: true }],
        slack_configs: [{ api_url: senders.slackUrl, channel: "#alerts", title, text, send_resolved: true }],
        email_configs: [
          {
            ...{ to: "a@example.com", from: "mcp@example.com", smarthost: "smtp.example.com:587", send_resolved: true },
            ...{ auth_username: "mcp", auth_password: "mail-password" },
          },
        ],
      },
    ],
  });
});

test("the object for the operator says the same, with what is hidden in a Secret", () => {
  const secret = (key: string) => ({ name: "receivers", key });
  const alertname = (value: string, matchType = "=") => ({ name: "alertname", matchType, value });
  expect(alertmanagerSpec(everything, "receivers")).toEqual({
    route: {
      ...{ receiver: "everybody", groupBy: ["alertname", "server"] },
      ...{ groupWait: "10s", groupInterval: "1m", repeatInterval: "4h" },
      routes: [
        { matchers: [alertname("McpWatchdog")], receiver: "nobody" },
        { matchers: [alertname("HighErrorRate")], receiver: "HighErrorRate" },
      ],
    },
    inhibitRules: [
      {
        sourceMatch: [alertname("McpServerDown")],
        targetMatch: [alertname("McpErrorRateHigh|McpCircuitOpen|McpInstancesLost|McpObjectiveAtRisk.*", "=~")],
        equal: ["server"],
      },
    ],
    receivers: [
      { name: "nobody" },
      {
        name: "everybody",
        webhookConfigs: [{ urlSecret: secret("webhook"), sendResolved: true }],
        slackConfigs: [{ apiURL: secret("slack-url"), channel: "#all", title, text, sendResolved: true }],
      },
      {
        name: "HighErrorRate",
        webhookConfigs: [{ urlSecret: secret("webhook-HighErrorRate"), sendResolved: true }],
        slackConfigs: [{ apiURL: secret("slack-url"), channel: "#alerts", title, text, sendResolved: true }],
        emailConfigs: [
          {
            ...{ to: "a@example.com", from: "mcp@example.com", smarthost: "smtp.example.com:587", sendResolved: true },
            ...{ authUsername: "mcp", authPassword: secret("email-password") },
          },
        ],
      },
    ],
  });
  expect(hiddenTexts(everything)).toEqual({
    webhook: "https://alerts.example.com/all",
    "webhook-HighErrorRate": "https://alerts.example.com/rule",
    "slack-url": senders.slackUrl,
    "email-password": "mail-password",
  });
});

describe("a mail server's user and password stand each by itself, and nothing stands for what is not given", () => {
  const told = { email: ["a@example.com"] };
  test.each([
    [{}, {}, {}],
    [{ username: "mcp" }, { auth_username: "mcp" }, { authUsername: "mcp" }],
    [
      { password: "mail-password" },
      { auth_password: "mail-password" },
      { authPassword: { name: "receivers", key: "email-password" } },
    ],
  ])("%j", (access, inFile, inObject) => {
    const routes = routing({ rules: [], notifications: told, senders: { email: { ...sender, ...access } } });
    const common = { to: "a@example.com", from: sender.from, smarthost: sender.smarthost };
    expect(alertmanagerConfig(routes)).toHaveProperty("receivers", [
      { name: "nobody" },
      { name: "everybody", email_configs: [{ ...common, send_resolved: true, ...inFile }] },
    ]);
    expect(alertmanagerSpec(routes, "receivers")).toHaveProperty("receivers", [
      { name: "nobody" },
      { name: "everybody", emailConfigs: [{ ...common, sendResolved: true, ...inObject }] },
    ]);
    const [, everybody] = (alertmanagerConfig(routes) as { receivers: { email_configs: object[] }[] }).receivers;
    expect(Object.values(everybody?.email_configs[0] as object)).not.toContain(undefined);
  });
});

testWith("promtool and amtool")("Alertmanager takes the file, with and without receivers", async () => {
  const mail = { email: { ...sender, username: "mcp" } };
  for (const routes of [
    everything,
    routing({ rules: [], notifications: undefined, senders: undefined }),
    routing({ rules: [], notifications: { email: ["a@example.com"] }, senders: mail }),
  ]) {
    const files = { "alertmanager.yml": alertmanagerConfig(routes) };
    const { code, out } = check("amtool", ["check-config", "alertmanager.yml"], files);
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining("SUCCESS") });
  }
});
