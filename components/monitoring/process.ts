import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { stateDirectory } from "../defaults.ts";
import { ProcessFiles } from "../process/process-files.ts";
import { alertmanagerConfig } from "./alertmanager.ts";
import { dashboard } from "./dashboard.ts";
import { monitoringDefaults as defaults } from "./defaults.ts";
import { prometheusConfig, ruleFile } from "./prometheus.ts";
import type { MonitoringSettings } from "./resolve.ts";
import { routing } from "./routing.ts";

const usualAlertmanager = "127.0.0.1:9093";

/** Files for a Prometheus, an Alertmanager and a Grafana of this machine; JSON is YAML to them. Returns their folder. */
export function monitoringOnProcesses(
  parent: pulumi.ComponentResource,
  settings: MonitoringSettings,
): pulumi.Output<string> {
  const { name, job, rules, recordings, runbookUrl, args } = settings;
  const {
    folder = join(stateDirectory(), "monitoring"),
    tokenFile,
    alertmanager = usualAlertmanager,
  } = args.process ?? {};
  const { notifications, senders, gateway } = args;
  const prometheus = pulumi.output({ target: gateway.metricsTarget, tokenFile, alertmanager }).apply((known) =>
    json(
      prometheusConfig({
        ...{ job, tokenFile: known.tokenFile, alertmanager: known.alertmanager },
        target: hostOf(known.target),
        scrapeSeconds: defaults.scrapeSeconds,
        rulesPath: join(folder, "rules.yml"),
      }),
    ),
  );
  // It holds addresses and tokens of receivers.
  const routes = pulumi.secret(
    pulumi.output(alertmanagerConfig(routing({ rules, notifications, senders }))).apply((known) => json(known)),
  );
  const files = {
    "prometheus.yml": prometheus,
    "rules.yml": json(ruleFile(recordings, rules, runbookUrl)),
    "alertmanager.yml": routes,
    "dashboard.json": json(dashboard(`mcp-fleet-${name}`, `MCP fleet: ${name}`)),
  };
  return new ProcessFiles(`${name}-files`, { folder, files }, childOf(parent)()).folder;
}

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

/** `http://127.0.0.1:8080/metrics` as Prometheus names targets: `127.0.0.1:8080`. */
function hostOf(metricsTarget: string): string {
  return new URL(metricsTarget).host;
}
