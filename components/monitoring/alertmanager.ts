import type { AlertMatch, Receiver, Routing } from "./routing.ts";

/** Alertmanager's own configuration file; holds the receivers' secrets, and outputs where the routing does. */
export function alertmanagerConfig(routing: Routing): object {
  return {
    route: {
      receiver: routing.receiver,
      group_by: routing.groupBy,
      group_wait: routing.groupWait,
      group_interval: routing.groupInterval,
      repeat_interval: routing.repeatInterval,
      routes: routing.routes.map(({ match, receiver: to }) => ({ matchers: [matcher(match)], receiver: to })),
    },
    inhibit_rules: routing.inhibitions.map(({ source, target, equal }) => ({
      source_matchers: [matcher(source)],
      target_matchers: [matcher(target)],
      equal,
    })),
    receivers: routing.receivers.map(receiver),
  };
}

const matcher = ({ operator, alerts }: AlertMatch): string => `alertname${operator}"${alerts}"`;

function receiver({ name, webhook, slack, email }: Receiver): object {
  return {
    name,
    ...(webhook === undefined ? {} : { webhook_configs: [{ url: webhook.value, send_resolved: true }] }),
    ...(slack === undefined
      ? {}
      : {
          slack_configs: [
            {
              api_url: slack.url.value,
              ...{ channel: slack.channel, title: slack.title, text: slack.text, send_resolved: true },
            },
          ],
        }),
    ...(email.length === 0
      ? {}
      : {
          email_configs: email.map(({ to, from, smarthost, username, password }) => ({
            ...{ to, from, smarthost, send_resolved: true },
            ...(username === undefined ? {} : { auth_username: username }),
            ...(password === undefined ? {} : { auth_password: password.value }),
          })),
        }),
  };
}
