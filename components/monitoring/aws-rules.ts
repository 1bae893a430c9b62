import { alarmMetrics } from "./alarm-forms.ts";
import type { MonitoringAwsArgs, MonitoringStackArgs } from "./args.ts";
import type { ReceiverCheck } from "./user-rules.ts";

/** CloudWatch looks no further back. */
const longestSeconds = 86_400;

/** What rules and senders can be elsewhere, and cannot be on AWS: field, value, fix. */
export function awsProblems({ alertRules = [], senders }: MonitoringStackArgs): string[] {
  const problems: string[] = [];
  if (senders !== undefined) problems.push("senders is given, but SNS sends mail by itself; remove senders");
  for (const [index, { metric, forSeconds = 0 }] of alertRules.entries()) {
    const at = `alertRules[${index}]`;
    if (!alarmMetrics.includes(metric)) {
      const fix = `give one of ${alarmMetrics.join(", ")}, or watch it with a Prometheus of yours`;
      problems.push(`${at}.metric: is "${metric}", which the gateway does not write to CloudWatch; ${fix}`);
    }
    if (forSeconds > longestSeconds) {
      problems.push(`${at}.forSeconds: is ${forSeconds}; CloudWatch takes at most ${longestSeconds}, a day`);
    }
  }
  return problems;
}

/** Slack hears of a topic by the id of a channel, and of the workspace that lets AWS in. */
export const checkAwsReceivers =
  (aws: MonitoringAwsArgs | undefined): ReceiverCheck =>
  (at, notifications) => {
    const { slack } = notifications ?? {};
    if (slack === undefined) return [];
    const problems: string[] = [];
    if (aws?.slackTeamId === undefined) {
      const fix = "add aws.slackTeamId, the workspace's id, after an administrator has let Amazon Q Developer into it";
      problems.push(`${at}.slack is given, but no workspace of Slack; ${fix}`);
    }
    if (!/^[CG][A-Z0-9]+$/.test(slack)) {
      problems.push(`${at}.slack: is "${slack}"; on aws give the channel's id, such as C0123456789, not its name`);
    }
    return problems;
  };
