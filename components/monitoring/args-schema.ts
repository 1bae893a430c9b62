import Type from "typebox";
import { closed, labels, open, text, url } from "../block-parts.ts";
import { Condition, Severity } from "./args.ts";

const anything = open(Type.Unknown());
const bound = open(Type.Number());
const notifications = Type.Object({ webhook: open(url), email: open(Type.Array(text)), slack: open(text) }, closed);
const alertRule = Type.Object(
  {
    name: open(Type.String()),
    metric: open(Type.String()),
    condition: open(Type.Enum(Object.values(Condition))),
    threshold: bound,
    severity: open(Type.Enum(Object.values(Severity))),
    forSeconds: open(Type.Number({ minimum: 0 })),
    server: open(Type.String()),
    notifications: open(notifications),
  },
  closed,
);
const email = Type.Object(
  { smarthost: open(text), from: open(text), username: open(text), password: open(text) },
  closed,
);

/** The arguments of a stack, as far as they are known at once. The blocks of `docker` and `systemd` have schemas of their own. */
export const stackArgs = Type.Object(
  {
    platform: anything,
    gateway: anything,
    alertRules: open(Type.Array(alertRule)),
    notifications: open(notifications),
    senders: open(Type.Object({ email: open(email), slackUrl: open(url) }, closed)),
    slo: open(Type.Object({ availabilityPercent: bound }, closed)),
    thresholds: open(
      Type.Object(
        { errorRate: bound, p95Ms: bound, poolUtilization: bound, lostInstances: bound, certificateDays: bound },
        closed,
      ),
    ),
    runbookUrl: open(url),
    tags: open(labels),
    kubernetes: open(
      Type.Object(
        {
          namespace: open(text),
          labels: open(labels),
          tokenSecretName: open(text),
          tokenSecretKey: open(text),
          caSecretName: open(text),
          caSecretKey: open(text),
        },
        closed,
      ),
    ),
    process: open(Type.Object({ folder: open(text), tokenFile: open(text), alertmanager: open(text) }, closed)),
    aws: open(Type.Object({ certificateArn: open(text), kmsKeyArn: open(text), slackTeamId: open(text) }, closed)),
    docker: anything,
    systemd: anything,
  },
  closed,
);
