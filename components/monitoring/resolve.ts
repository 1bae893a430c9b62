import { issueText, validateAgainst } from "../../runtime/config/schema/index.ts";
import { defaults as shared } from "../defaults.ts";
import { InputError } from "../input-error.ts";
import { knownPart } from "../known-part.ts";
import { laterInStack } from "../plain-fields.ts";
import { Platform, platformOf } from "../platform.ts";
import { hasAlarm } from "./alarms.ts";
import type { MonitoringStackArgs } from "./args.ts";
import { stackArgs } from "./args-schema.ts";
import { awsProblems, checkAwsReceivers } from "./aws-rules.ts";
import { catalogue, recordings } from "./catalogue.ts";
import { monitoringDefaults as defaults } from "./defaults.ts";
import { dockerProblems } from "./docker-rules.ts";
import { kubernetesProblems } from "./kubernetes-rules.ts";
import type { Recording, Rule } from "./rule.ts";
import { systemdProblems } from "./systemd-rules.ts";
import { checkReceivers, ruleProblems, userRule } from "./user-rules.ts";

/** A stack's arguments, checked, with its rules made. */
export interface MonitoringSettings {
  readonly component: string;
  readonly name: string;
  readonly platform: Platform;
  readonly job: string;
  readonly rules: readonly Rule[];
  readonly recordings: readonly Recording[];
  readonly runbookUrl: string;
  readonly args: MonitoringStackArgs;
}

/** Checks what can be checked now. Throws InputError. */
export function resolveMonitoring(name: string, args: MonitoringStackArgs): MonitoringSettings {
  const component = `MonitoringStack "${name}"`;
  const platform = platformOf(component, args.platform ?? shared.platform);
  const later = laterInStack(args);
  if (later.length > 0) throw new InputError(component, later);
  const mistyped = validateAgainst(stackArgs, knownPart({ ...args, gateway: undefined })).map(issueText);
  if (mistyped.length > 0) throw new InputError(component, mistyped);
  const { alertRules = [], notifications, senders, slo, thresholds = {} } = args;
  const job = `mcp-fleet-${name}`;
  const availabilityPercent = slo?.availabilityPercent ?? defaults.availabilityPercent;
  const onAws = platform === Platform.Aws;
  const rulesOf = { thresholds, availabilityPercent, autoscaled: platform === Platform.Kubernetes };
  const own = catalogue(rulesOf).filter(({ alert }) => !onAws || hasAlarm(alert, args));
  const problems = [
    ...blockProblems(platform, args),
    ...(platform === Platform.Kubernetes ? kubernetesProblems(args) : []),
    ...(platform === Platform.Docker ? dockerProblems(args) : []),
    ...(platform === Platform.Systemd ? systemdProblems(name, args) : []),
    ...boundsProblems(availabilityPercent, thresholds),
    ...ruleProblems(
      alertRules,
      notifications,
      onAws ? checkAwsReceivers(args.aws) : checkReceivers(senders),
      own.map(({ alert }) => alert),
    ),
    ...(onAws ? awsProblems(args) : []),
  ];
  if (problems.length > 0) throw new InputError(component, problems);
  const rules = [...own, ...alertRules.map(userRule)];
  return {
    component,
    name,
    platform,
    job,
    rules,
    recordings,
    runbookUrl: args.runbookUrl ?? defaults.runbookUrl,
    args,
  };
}

function blockProblems(platform: Platform, args: MonitoringStackArgs): string[] {
  return Object.values(Platform)
    .filter((block) => block !== platform && (args as Partial<Record<Platform, unknown>>)[block] !== undefined)
    .map((block) => `${block} is given, but platform is "${platform}"; remove ${block}, or set platform to ${block}`);
}

function boundsProblems(availability: number, thresholds: NonNullable<MonitoringStackArgs["thresholds"]>): string[] {
  const problems: string[] = [];
  if (!(availability > 0 && availability < 100)) {
    problems.push(`slo.availabilityPercent: is ${availability}; give more than 0 and less than 100, such as 99.5`);
  }
  for (const [key, value] of Object.entries(thresholds)) {
    if (value > 0) continue;
    problems.push(`thresholds.${key}: is ${value}; give a number above 0, or leave it out`);
  }
  return problems;
}
