import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Aws } from "../aws/sdk.ts";
import { childOf } from "../child-of.ts";
import type { NotificationArgs } from "./args.ts";
import type { MonitoringSettings } from "./resolve.ts";

/** Topics of SNS, and whoever hears of what is said in them. */
export interface Topics {
  /** The topic of a rule: its own when it has receivers of its own, the stack's else. */
  of(alert: string): aws.sns.Topic;
  /** The stack's. */
  readonly main: aws.sns.Topic;
}

/** Makes the topics of a stack. Webhooks and addresses must confirm to SNS that they want to hear. */
export function topicObjects(
  sdk: Aws,
  parent: pulumi.Resource,
  { name, rules, args }: MonitoringSettings,
  tags: Readonly<Record<string, pulumi.Input<string>>>,
): Topics {
  const child = childOf(parent);
  const { kmsKeyArn: kmsMasterKeyId, slackTeamId } = args.aws ?? {};
  let role: aws.iam.Role | undefined;
  const topic = (noun: string, notifications: NotificationArgs = {}) => {
    const { webhook, email = [], slack } = notifications;
    const made = new sdk.sns.Topic(noun, { kmsMasterKeyId, tags }, child());
    const subscribe = (suffix: string, protocol: pulumi.Input<string>, endpoint: pulumi.Input<string>) =>
      new sdk.sns.TopicSubscription(`${noun}-${suffix}`, { topic: made.arn, protocol, endpoint }, child());
    if (webhook !== undefined) {
      // Whoever knows a webhook can say things there; the scheme is no secret.
      const scheme = pulumi.output(webhook).apply((url) => (url.startsWith("https:") ? "https" : "http"));
      subscribe("webhook", pulumi.unsecret(scheme), pulumi.secret(webhook));
    }
    for (const [index, address] of email.entries()) subscribe(`email-${index + 1}`, "email", address);
    if (slack !== undefined) {
      role ??= new sdk.iam.Role(`${name}-slack-role`, { assumeRolePolicy: JSON.stringify(chatTrust), tags }, child());
      new sdk.chatbot.SlackChannelConfiguration(
        `${noun}-slack`,
        {
          configurationName: `${pulumi.getProject()}-${pulumi.getStack()}-${noun}`,
          ...{ iamRoleArn: role.arn, slackChannelId: slack, slackTeamId: slackTeamId as pulumi.Input<string> },
          ...{ snsTopicArns: [made.arn], guardrailPolicyArns: [readOnly], tags },
        },
        child(),
      );
    }
    return made;
  };
  const main = topic(`${name}-alerts`, args.notifications);
  const own = new Map(
    rules
      .filter(({ notifications }) => notifications !== undefined)
      .map(({ alert, notifications }) => [alert, topic(`${name}-${alert}-alerts`, notifications)]),
  );
  return { main, of: (alert) => own.get(alert) ?? main };
}

/** AWS's own name for who speaks in Slack; the role itself may do nothing. */
const chatTrust = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "chatbot.amazonaws.com" } }],
};
/** What people may at most be let do from the channel. */
const readOnly = "arn:aws:iam::aws:policy/ReadOnlyAccess";
