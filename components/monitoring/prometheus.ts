import type { Recording, Rule } from "./rule.ts";
import type { Scope } from "./scope.ts";

/** A rule file of Prometheus, as an object: also the `spec` of a PrometheusRule. */
export interface RuleFile {
  readonly groups: readonly {
    readonly name: string;
    readonly rules: readonly Readonly<Record<string, unknown>>[];
  }[];
}

/** The catalogue's rules and the user's, over the series of one stack. */
export function ruleFile(
  recordings: readonly Recording[],
  rules: readonly Rule[],
  runbookUrl: string,
  scope: Scope,
): RuleFile {
  return {
    groups: [
      { name: "mcp-fleet-series", rules: recordings.map((recording) => recordingOf(recording, scope)) },
      { name: "mcp-fleet", rules: rules.map((rule) => alertOf(rule, runbookUrl, scope)) },
    ],
  };
}

function recordingOf({ record, expr }: Recording, scope: Scope): Readonly<Record<string, unknown>> {
  return { record, expr: expr(scope), labels: scope.recorded };
}

function alertOf(
  { alert, expr, forSeconds, severity, summary, runbook }: Rule,
  runbookUrl: string,
  scope: Scope,
): Readonly<Record<string, unknown>> {
  return {
    alert,
    expr: expr(scope),
    ...(forSeconds === 0 ? {} : { for: `${forSeconds}s` }),
    labels: { severity, component: "mcp-fleet", ...scope.alerts },
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
