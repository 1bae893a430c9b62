import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { ProcessFiles } from "../process/process-files.ts";
import { stateDirectory } from "../process/state-directory.ts";
import { alertmanagerConfig } from "./alertmanager.ts";
import { dashboard } from "./dashboard.ts";
import { monitoringDefaults } from "./defaults.ts";
import { fileText } from "./file-text.ts";
import type { Monitoring } from "./platforms.ts";
import { prometheusConfig, ruleFile } from "./prometheus.ts";
import { routing } from "./routing.ts";
import { jobScope } from "./scope.ts";

const usualAlertmanager = "127.0.0.1:9093";
const { scrapeSeconds } = monitoringDefaults;

/** Files for a Prometheus, an Alertmanager and a Grafana of this machine. */
export const monitoringOnProcesses: Monitoring = (parent, settings) => {
  const { name, job, rules, recordings, runbookUrl, args } = settings;
  const {
    folder = join(stateDirectory(), "monitoring"),
    tokenFile,
    alertmanager = usualAlertmanager,
  } = args.process ?? {};
  const { notifications, senders, gateway } = args;
  const prometheus = pulumi
    .output({ target: gateway.metricsTarget, tokenFile, alertmanager })
    .apply((known) =>
      fileText(prometheusConfig({ job, ...known, rulesPath: join(folder, "rules.yml"), scrapeSeconds })),
    );
  // It holds addresses and tokens of receivers.
  const routes = pulumi.secret(
    pulumi.output(alertmanagerConfig(routing({ rules, notifications, senders }))).apply((known) => fileText(known)),
  );
  const files = {
    "prometheus.yml": prometheus,
    "rules.yml": fileText(ruleFile(recordings, rules, runbookUrl, jobScope(job))),
    "alertmanager.yml": routes,
    "dashboard.json": fileText(dashboard(`mcp-fleet-${name}`, `MCP fleet: ${name}`, jobScope(job))),
  };
  return { folder: new ProcessFiles(`${name}-files`, { folder, files }, childOf(parent)()).folder };
};
