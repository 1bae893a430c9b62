import type * as pulumi from "@pulumi/pulumi";
import { Platform } from "../platform.ts";
import { monitoringOnAws } from "./aws.ts";
import { monitoringOnDocker } from "./docker.ts";
import { monitoringOnKubernetes } from "./kubernetes.ts";
import { monitoringOnProcesses } from "./process.ts";
import type { MonitoringSettings } from "./resolve.ts";
import { monitoringOnSystemd } from "./systemd.ts";

/** What a platform says of what it has made; what is left out is not there on it. */
export interface MonitoringDeployment {
  readonly folder?: pulumi.Output<string>;
  readonly prometheusUrl?: pulumi.Output<string>;
  readonly alertmanagerUrl?: pulumi.Output<string>;
  readonly dashboardUrl?: pulumi.Output<string>;
  readonly topicArn?: pulumi.Output<string>;
}

/** Makes the children of a stack. */
export type Monitoring = (parent: pulumi.ComponentResource, settings: MonitoringSettings) => MonitoringDeployment;

/** Every platform. */
export const monitoringPlatforms: Readonly<Record<Platform, Monitoring>> = {
  [Platform.Process]: monitoringOnProcesses,
  [Platform.Systemd]: monitoringOnSystemd,
  [Platform.Docker]: monitoringOnDocker,
  [Platform.Kubernetes]: monitoringOnKubernetes,
  [Platform.Aws]: monitoringOnAws,
};
