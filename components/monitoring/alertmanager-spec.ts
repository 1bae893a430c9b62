import type { AlertMatch, HiddenText, Receiver, Routing } from "./routing.ts";

/**
 * The `spec` of an AlertmanagerConfig (monitoring.coreos.com/v1alpha1): says the same as `alertmanagerConfig`, but that
 * hidden texts stand in a Secret.
 */
export function alertmanagerSpec(routing: Routing, secretName: string): object {
  return {
    route: {
      receiver: routing.receiver,
      groupBy: routing.groupBy,
      groupWait: routing.groupWait,
      groupInterval: routing.groupInterval,
      repeatInterval: routing.repeatInterval,
      routes: routing.routes.map(({ match, receiver: to }) => ({ matchers: [matcher(match)], receiver: to })),
    },
    inhibitRules: routing.inhibitions.map(({ source, target, equal }) => ({
      sourceMatch: [matcher(source)],
      targetMatch: [matcher(target)],
      equal,
    })),
    receivers: routing.receivers.map((one) => receiver(one, secretName)),
  };
}

const matcher = ({ operator, alerts }: AlertMatch) => ({ name: "alertname", matchType: operator, value: alerts });

function receiver({ name, webhook, slack, email }: Receiver, secretName: string): object {
  const secret = ({ key }: HiddenText) => ({ name: secretName, key });
  return {
    name,
    ...(webhook === undefined ? {} : { webhookConfigs: [{ urlSecret: secret(webhook), sendResolved: true }] }),
    ...(slack === undefined
      ? {}
      : {
          slackConfigs: [
            {
              apiURL: secret(slack.url),
              ...{ channel: slack.channel, title: slack.title, text: slack.text, sendResolved: true },
            },
          ],
        }),
    ...(email.length === 0
      ? {}
      : {
          emailConfigs: email.map(({ to, from, smarthost, username, password }) => ({
            ...{ to, from, smarthost, sendResolved: true },
            ...(username === undefined ? {} : { authUsername: username }),
            ...(password === undefined ? {} : { authPassword: secret(password) }),
          })),
        }),
  };
}
