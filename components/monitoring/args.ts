import type * as pulumi from "@pulumi/pulumi";

/** How bad it is. */
export const Severity = {
  /** Somebody must look now. */
  Critical: "critical",
  /** Somebody must look today. */
  High: "high",
  /** Somebody should look this week. */
  Medium: "medium",
  /** Good to know. */
  Low: "low",
} as const;
export type Severity = (typeof Severity)[keyof typeof Severity];

/** How a metric is compared with a threshold. */
export const Condition = {
  /** Greater. */
  Gt: "gt",
  /** Greater or equal. */
  Gte: "gte",
  /** Less. */
  Lt: "lt",
  /** Less or equal. */
  Lte: "lte",
  /** Equal. */
  Eq: "eq",
} as const;
export type Condition = (typeof Condition)[keyof typeof Condition];

/** Who hears of an alert. */
export interface NotificationArgs {
  /** URL that alerts are posted to, in Alertmanager's own JSON; on `aws` in that of SNS, which asks it first to confirm. A secret in the state. */
  webhook?: pulumi.Input<string>;
  /** Addresses. Needs `email` of the stack's `senders`; on `aws` SNS sends, and asks each first to confirm. */
  email?: string[];
  /** Channel: `#alerts`. Needs `slackUrl` of the stack's `senders`; on `aws` the channel's id, and `slackTeamId` of the `aws` block. */
  slack?: string;
}

/** A rule of your own. */
export interface AlertRuleArgs {
  /** Its name: `High Error Rate`. */
  name: string;
  /** A metric of the gateway, or `mcp_server_error_rate`, `mcp_server_response_time_p50`, `…_p95`, `…_p99`, `mcp_server_request_rate`, which are made of them, all by server. */
  metric: string;
  /** `gt`, `gte`, `lt`, `lte` or `eq`. */
  condition: Condition;
  /** Times in milliseconds, shares from 0 to 1. */
  threshold: number;
  /** `critical`, `high`, `medium` or `low`. */
  severity: Severity;
  /** For how long it must hold, in seconds. Defaults to 300. */
  forSeconds?: number;
  /** One server only. Defaults to each of them. */
  server?: string;
  /** Who hears of it. Defaults to the stack's `notifications`. */
  notifications?: NotificationArgs;
}

/** A mail server. */
export interface EmailSenderArgs {
  /** `smtp.example.com:587`. */
  smarthost: pulumi.Input<string>;
  /** Sender's address. */
  from: pulumi.Input<string>;
  /** User. Defaults to none. */
  username?: pulumi.Input<string>;
  /** Password. A secret in the state. */
  password?: pulumi.Input<string>;
}

/** By what alerts are sent. */
export interface SendersArgs {
  /** Needed for `email`. */
  email?: EmailSenderArgs;
  /** Slack's incoming webhook, needed for `slack`. A secret in the state. */
  slackUrl?: pulumi.Input<string>;
}

/** What is promised of calls; two rates of spending what may fail of them raise an alert (Google's SRE workbook, chapter 5). */
export interface SloArgs {
  /** Share of calls that succeed, in percent. Defaults to 99.5. */
  availabilityPercent?: number;
}

/** Bounds of the rules that come with the package. */
export interface ThresholdsArgs {
  /** Share of failed calls of a server, 0 to 1. Defaults to 0.05. */
  errorRate?: number;
  /** 95th percentile of a server's calls in milliseconds. Defaults to 5000. */
  p95Ms?: number;
  /** Share of the instances that may exist, 0 to 1. Defaults to 0.9. */
  poolUtilization?: number;
  /** Instances that are lost in a quarter of an hour. Defaults to 3. */
  lostInstances?: number;
  /** Days before a certificate ends. Defaults to 14. */
  certificateDays?: number;
}

/** A gateway that is watched. Every `MCPGateway` is one. */
export interface MonitoredGatewayArgs {
  /** What Prometheus scrapes: the gateway's `metricsTarget` output. */
  metricsTarget: pulumi.Input<string>;
}

/** The `kubernetes` platform's own block: objects for the Prometheus Operator, and Grafana's sidecar for dashboards. */
export interface MonitoringKubernetesArgs {
  /** Namespace of the gateway and of these objects. Defaults to the provider's. */
  namespace?: pulumi.Input<string>;
  /** Labels by which Prometheus and Alertmanager find objects, such as `release: prometheus`. Defaults to none. */
  labels?: Record<string, pulumi.Input<string>>;
  /** Secret with the bearer token that Prometheus sends to the gateway. Required. */
  tokenSecretName?: pulumi.Input<string>;
  /** Key in that secret. Defaults to `token`. */
  tokenSecretKey?: pulumi.Input<string>;
  /** Secret with the certificate of the authority that signed the gateway's own, for a gateway with `tls`. Defaults to the authorities that Prometheus knows. */
  caSecretName?: pulumi.Input<string>;
  /** Key in that secret. Defaults to `ca.crt`. */
  caSecretKey?: pulumi.Input<string>;
}

/** The `process` platform's own block: files for a Prometheus and an Alertmanager of this machine. */
export interface MonitoringProcessArgs {
  /** Folder of the files. Defaults to `monitoring` in the stack's state folder. Plain, because it decides where files are. */
  folder?: string;
  /** File with the bearer token that Prometheus sends to the gateway. Defaults to none. */
  tokenFile?: pulumi.Input<string>;
  /** `host:port` of Alertmanager. Defaults to `127.0.0.1:9093`. */
  alertmanager?: pulumi.Input<string>;
}

/** The `aws` platform's own block: alarms and a dashboard of CloudWatch, topics of SNS. */
export interface MonitoringAwsArgs {
  /** Certificate of the gateway's name, whose end an alarm tells beforehand. Defaults to none. Plain when absent, because that decides whether there is such an alarm. */
  certificateArn?: pulumi.Input<string>;
  /** Key with which what is said in topics is encrypted; its policy lets CloudWatch use it, which AWS's own key does not. Defaults to none. */
  kmsKeyArn?: pulumi.Input<string>;
  /** Workspace of Slack that has let Amazon Q Developer in, for `slack`, which is a channel's id here. */
  slackTeamId?: pulumi.Input<string>;
}

/** One of the containers that watch. */
export interface MonitoringContainerArgs {
  /** Image, which the Docker host has or can pull; its entry point is the program. Defaults to the public one, with its version. */
  image?: pulumi.Input<string>;
  /** Port of the Docker host at which it answers. Defaults to the program's usual one: 9090, 9093, 3000. */
  port?: pulumi.Input<number>;
  /** Bound of processor time, in thousandths of a processor. Defaults to 1000. */
  cpuMillicores?: pulumi.Input<number>;
  /** Bound of memory in MiB. Defaults to 512, for Alertmanager to 128. */
  memoryMiB?: pulumi.Input<number>;
}

/** The container that shows the dashboard. */
export interface GrafanaContainerArgs extends MonitoringContainerArgs {
  /** Password of its user `admin`. A secret in the state. */
  adminPassword: pulumi.Input<string>;
}

/** The `docker` platform's own block: Prometheus, Alertmanager and, if wanted, Grafana in containers. */
export interface MonitoringDockerArgs {
  /** Bearer token that Prometheus sends to the gateway; or give `tokenFile`. A secret in the state. */
  token?: pulumi.Input<string>;
  /** File of the Docker host with that token, readable for user 65534. */
  tokenFile?: pulumi.Input<string>;
  /** Docker network on which the gateway answers to the name in its `metricsTarget`. Defaults to that of this stack's gateway. */
  network?: pulumi.Input<string>;
  /** Address of the Docker host at which the containers answer, without authentication but for Grafana's. Defaults to `127.0.0.1`. */
  host?: pulumi.Input<string>;
  /** Days for which Prometheus keeps what it has measured. Defaults to 15. */
  retentionDays?: pulumi.Input<number>;
  /** Prometheus. */
  prometheus?: MonitoringContainerArgs;
  /** Alertmanager. */
  alertmanager?: MonitoringContainerArgs;
  /** Grafana. Defaults to none. Plain, because it decides which resources exist. */
  grafana?: GrafanaContainerArgs;
  /** Container runtime, such as one of a sandbox. Defaults to the engine's. */
  runtime?: pulumi.Input<string>;
  /** Size in MiB at which a container's log rotates. Defaults to 10. */
  logMaxMiB?: pulumi.Input<number>;
  /** Rotated logs kept. Defaults to 5. */
  logMaxFiles?: pulumi.Input<number>;
}

/** One of the services that watch. */
export interface MonitoringServiceArgs {
  /** Executable, outside of homes and folders for temporary files. Defaults to that of Debian's package: `/usr/bin/prometheus`, `/usr/bin/prometheus-alertmanager`. Plain, because it decides what is checked. */
  program?: string;
  /** Port at which it answers. Defaults to the usual one: 9090, 9093. Plain, because it is waited for. */
  port?: number;
  /** Bound of processor time, in thousandths of a processor. Defaults to 1000. */
  cpuMillicores?: pulumi.Input<number>;
  /** Bound of memory in MiB. Defaults to 512, for Alertmanager to 128. */
  memoryMiB?: pulumi.Input<number>;
}

/** The `systemd` platform's own block: Prometheus and Alertmanager as hardened services of their own. */
export interface MonitoringSystemdArgs {
  /** Folder of the service manager for unit files. Defaults to `/etc/systemd/system`. Plain, because it decides where files are. */
  unitDirectory?: string;
  /** Bearer token that Prometheus sends to the gateway. Defaults to none. A secret in the state. */
  token?: pulumi.Input<string>;
  /** File of this machine with that token, in its place; only root need be able to read it. Defaults to none. */
  tokenFile?: pulumi.Input<string>;
  /** Address at which both answer, without authentication. Defaults to `127.0.0.1`. Plain, because it is waited for. */
  host?: string;
  /** Days for which Prometheus keeps what it has measured. Defaults to 15. */
  retentionDays?: pulumi.Input<number>;
  /** Prometheus. */
  prometheus?: MonitoringServiceArgs;
  /** Alertmanager. */
  alertmanager?: MonitoringServiceArgs;
}

/** Arguments of `MonitoringStack`. */
export interface MonitoringStackArgs {
  /** Where the gateway runs: `process`, `systemd`, `docker`, `kubernetes` or `aws`. Defaults to `process`. Plain, because it decides which resources exist. */
  platform?: string;
  /** The gateway. */
  gateway: MonitoredGatewayArgs;
  /** Rules of your own, besides those that come with the package. Defaults to none. */
  alertRules?: AlertRuleArgs[];
  /** Who hears of alerts. Defaults to nobody. */
  notifications?: NotificationArgs;
  /** By what they are sent. */
  senders?: SendersArgs;
  /** What is promised of calls. */
  slo?: SloArgs;
  /** Bounds of the rules that come with the package. */
  thresholds?: ThresholdsArgs;
  /** URL of the runbook that alerts point to, each to its section: `https://wiki.example.com/mcp`. Defaults to `docs/runbook.md` of the published package at unpkg.com. */
  runbookUrl?: string;
  /** Labels of every object. Defaults to none. */
  tags?: Record<string, pulumi.Input<string>>;
  /** The `kubernetes` platform's own block. */
  kubernetes?: MonitoringKubernetesArgs;
  /** The `aws` platform's own block. */
  aws?: MonitoringAwsArgs;
  /** The `docker` platform's own block. */
  docker?: MonitoringDockerArgs;
  /** The `systemd` platform's own block. */
  systemd?: MonitoringSystemdArgs;
  /** The `process` platform's own block. */
  process?: MonitoringProcessArgs;
}
