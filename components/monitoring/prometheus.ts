import type * as pulumi from "@pulumi/pulumi";
import type { Recording, Rule } from "./rule.ts";

/** A rule file of Prometheus, as an object: also the `spec` of a PrometheusRule. */
export interface RuleFile {
  readonly groups: readonly {
    readonly name: string;
    readonly rules: readonly Readonly<Record<string, unknown>>[];
  }[];
}

/** The catalogue's rules and the user's; each alert has these labels besides its own. */
export function ruleFile(
  recordings: readonly Recording[],
  rules: readonly Rule[],
  runbookUrl: string,
  labels: Readonly<Record<string, pulumi.Input<string>>> = {},
): RuleFile {
  return {
    groups: [
      { name: "mcp-fleet-series", rules: recordings.map(({ record, expr }) => ({ record, expr })) },
      { name: "mcp-fleet", rules: rules.map((rule) => alertOf(rule, runbookUrl, labels)) },
    ],
  };
}

function alertOf(
  { alert, expr, forSeconds, severity, summary, runbook }: Rule,
  runbookUrl: string,
  labels: Readonly<Record<string, pulumi.Input<string>>>,
): Readonly<Record<string, unknown>> {
  return {
    alert,
    expr,
    ...(forSeconds === 0 ? {} : { for: `${forSeconds}s` }),
    labels: { severity, component: "mcp-fleet", ...labels },
    annotations: { summary, ...(runbook === undefined ? {} : { runbook_url: `${runbookUrl}#${runbook}` }) },
  };
}

/** Prometheus' own configuration, where this package runs it. */
export function prometheusConfig(settings: {
  readonly job: string;
  /** The gateway's `metricsTarget`: `http://127.0.0.1:8080/metrics`. */
  readonly target: string;
  readonly scrapeSeconds: number;
  /** File with the gateway's bearer token; undefined when it wants none. */
  readonly tokenFile?: string | undefined;
  readonly rulesPath: string;
  readonly alertmanager: string;
}): object {
  const { job, target, scrapeSeconds, tokenFile, rulesPath, alertmanager } = settings;
  const { protocol, host, pathname } = new URL(target);
  return {
    global: { scrape_interval: `${scrapeSeconds}s`, evaluation_interval: `${scrapeSeconds}s` },
    rule_files: [rulesPath],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] },
    scrape_configs: [
      {
        job_name: job,
        scheme: protocol.replace(":", ""),
        metrics_path: pathname,
        ...(tokenFile === undefined ? {} : { authorization: { credentials_file: tokenFile } }),
        static_configs: [{ targets: [host] }],
      },
    ],
  };
}
