import * as pulumi from "@pulumi/pulumi";
import { region } from "../aws/looked-up.ts";
import { gatewayNamespace } from "../aws/metric-names.ts";
import { roleNameProblems } from "../aws/name-rules.ts";
import { awsSdk } from "../aws/sdk.ts";
import { childOf } from "../child-of.ts";
import { InputError } from "../input-error.ts";
import type { AlarmForm } from "./alarm-forms.ts";
import { type Alarm, alarmArgs, alarmsOf } from "./alarms.ts";
import { cloudWatchDashboard } from "./cloudwatch-dashboard.ts";
import type { Monitoring } from "./platforms.ts";
import { topicObjects } from "./topics.ts";

/** Alarms and a dashboard of CloudWatch over the metrics that the gateway writes, and topics of SNS for who is to hear. */
export const monitoringOnAws: Monitoring = (parent, settings) => {
  const { component, name, args } = settings;
  const problems = roleNameProblems(name, "slack-role");
  if (problems.length > 0) throw new InputError(component, problems);
  const sdk = awsSdk(component);
  const child = childOf(parent);
  const common = { "mcp-fleet:component": name, "mcp-fleet:role": "monitoring", ...args.tags };
  const namespace = pulumi.output(args.gateway.metricsTarget).apply((url) => gatewayNamespace(new URL(url).hostname));
  const topics = topicObjects(sdk, parent, settings, common);
  const metricAlarm = (noun: string, form: AlarmForm, alarm: Alarm, told: object) =>
    new sdk.cloudwatch.MetricAlarm(
      `${name}-${noun}`,
      { ...alarmArgs(form, alarm, { namespace, certificateArn: args.aws?.certificateArn }), ...told },
      child(),
    );
  for (const alarm of alarmsOf(settings)) {
    const { alert, forms, description, severity } = alarm;
    const { arn } = topics.of(alert);
    const tags = { ...common, "mcp-fleet:severity": severity };
    const told = { alarmActions: [arn], okActions: [arn], alarmDescription: description, tags };
    const [first, ...more] = forms as [AlarmForm, ...AlarmForm[]];
    if (more.length === 0) {
      metricAlarm(alert, first, alarm, told);
      continue;
    }
    const parts = forms.map((form, index) => metricAlarm(`${alert}-part-${index + 1}`, form, alarm, { tags }));
    const names = pulumi.all(parts.map((part) => part.name));
    new sdk.cloudwatch.CompositeAlarm(
      `${name}-${alert}`,
      {
        alarmName: `${pulumi.getProject()}-${pulumi.getStack()}-${name}-${alert}`,
        alarmRule: names.apply((all) => all.map((one) => `ALARM("${one}")`).join(" AND ")),
        ...told,
      },
      child(),
    );
  }
  const home = region(sdk, component, parent);
  const shown = new sdk.cloudwatch.Dashboard(
    `${name}-dashboard`,
    {
      dashboardName: `${pulumi.getProject()}-${pulumi.getStack()}-${name}`,
      dashboardBody: pulumi.all([namespace, home]).apply((known) => JSON.stringify(cloudWatchDashboard(...known))),
    },
    child(),
  );
  const console = pulumi.interpolate`https://${home}.console.aws.amazon.com/cloudwatch/home?region=${home}`;
  return {
    dashboardUrl: pulumi.interpolate`${console}#dashboards/dashboard/${shown.dashboardName}`,
    topicArn: topics.main.arn,
  };
};
