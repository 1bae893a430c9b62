import { dashboard } from "./dashboard.ts";
import { fileText } from "./file-text.ts";
import { jobScope } from "./scope.ts";

/** Folder of what Grafana finds when it starts. */
export const grafanaFolder = "/etc/mcp-fleet/grafana";

/** Files by which Grafana has a data source and one dashboard from its first start (its "provisioning", version 1), by path. */
export function grafanaFiles(name: string, job: string, prometheusUrl: string): Record<string, string> {
  const dashboards = `${grafanaFolder}/dashboards`;
  const source = { name: "Prometheus", type: "prometheus", access: "proxy", url: prometheusUrl, isDefault: true };
  const provider = { name: "mcp-fleet", type: "file", options: { path: `${dashboards}/mcp-fleet` } };
  return {
    [`${grafanaFolder}/datasources/prometheus.yaml`]: fileText({ apiVersion: 1, datasources: [source] }),
    [`${dashboards}/mcp-fleet.yaml`]: fileText({ apiVersion: 1, providers: [provider] }),
    [`${dashboards}/mcp-fleet/dashboard.json`]: fileText(
      dashboard(`mcp-fleet-${name}`, `MCP fleet: ${name}`, jobScope(job)),
    ),
  };
}
