import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { type AlarmForm, alarmForms, userAlarmForm } from "./alarm-forms.ts";
import type { AlertRuleArgs, MonitoringStackArgs } from "./args.ts";
import { boundsOf } from "./catalogue.ts";
import { monitoringDefaults as defaults } from "./defaults.ts";
import type { MonitoringSettings } from "./resolve.ts";
import { alertName } from "./user-rules.ts";

/** A rule of a stack, as CloudWatch evaluates it. */
export interface Alarm {
  readonly alert: string;
  readonly severity: string;
  /** What it says, how bad it is, and where the runbook is. */
  readonly description: string;
  /** All must hold. */
  readonly forms: readonly AlarmForm[];
  /** One server only; undefined is the worst of all. */
  readonly server: string | undefined;
}

/** Has a rule of the catalogue a form on AWS, with what is known there? */
export function hasAlarm(alert: string, args: MonitoringStackArgs): boolean {
  const forms = alarmForms(boundsOf(args))[alert]?.forms ?? [];
  return forms.length > 0 && forms.every(({ of }) => of !== "certificate" || args.aws?.certificateArn !== undefined);
}

/** Every rule of a stack, each with a form: the platform's own check has seen to that. */
export function alarmsOf({ rules, runbookUrl, args }: MonitoringSettings): Alarm[] {
  const known = alarmForms(boundsOf(args));
  const own = new Map((args.alertRules ?? []).map((rule) => [alertName(rule.name), rule]));
  return rules.map(({ alert, severity, runbook, forSeconds }) => {
    const { server, ...form } = own.get(alert) ?? ({} as Partial<AlertRuleArgs>);
    const { metric, condition, threshold, name } = form as AlertRuleArgs;
    const { summary, forms } = known[alert] ?? {
      summary: `${name}: ${metric} is ${condition} ${threshold}${server === undefined ? "" : ` at ${server}`}`,
      forms: [userAlarmForm(metric, condition, threshold, forSeconds ?? defaults.forSeconds)],
    };
    const read = runbook === undefined ? "" : ` ${runbookUrl}#${runbook}`;
    return { alert, severity, description: `${severity}: ${summary}.${read}`, forms, server };
  });
}

/** Where an alarm's metrics are. */
export interface MetricPlaces {
  readonly namespace: pulumi.Input<string>;
  readonly certificateArn: pulumi.Input<string> | undefined;
}

/** The arguments of one alarm, but for who hears of it. */
export function alarmArgs(
  { of, metrics, expression, comparison, threshold, periodSeconds, periods, silence }: AlarmForm,
  { server }: Pick<Alarm, "server">,
  { namespace, certificateArn }: MetricPlaces,
): aws.cloudwatch.MetricAlarmArgs {
  const place: { namespace: pulumi.Input<string>; dimensions?: Record<string, pulumi.Input<string>> } =
    of === "certificate"
      ? {
          namespace: "AWS/CertificateManager",
          dimensions: { CertificateArn: certificateArn as pulumi.Input<string> },
        }
      : { namespace, ...(server === undefined ? {} : { dimensions: { server } }) };
  const compared = {
    ...{ comparisonOperator: comparison, threshold, evaluationPeriods: periods, treatMissingData: silence },
  };
  const all = Object.entries(metrics);
  if (expression === undefined) {
    const [[, [metricName, statistic]]] = all as [(typeof all)[number]];
    return { ...compared, ...place, metricName, statistic, period: periodSeconds };
  }
  return {
    ...compared,
    metricQueries: [
      { id: "compared", expression, label: expression, returnData: true },
      ...all.map(([id, [metricName, stat]]) => ({
        id,
        metric: { ...place, metricName, stat, period: periodSeconds },
      })),
    ],
  };
}
