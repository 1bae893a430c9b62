/** Every default of the alert rules; a default is a contract. */
export const monitoringDefaults = Object.freeze({
  // The specification's own example.
  errorRate: 0.05,
  p95Ms: 5000,
  poolUtilization: 0.9,
  // One loss is answered by a restart; four in a quarter of an hour are a pattern.
  lostInstances: 3,
  // Longer than the holidays of whoever renews it.
  certificateDays: 14,
  // Three and a half hours of a month.
  availabilityPercent: 99.5,
  // A single slow scrape is no alert.
  forSeconds: 300,
  // Two scrapes fit into the shortest window of a rule.
  scrapeSeconds: 15,
  // The page as it is in the published package: who reads an alert has a browser and no checkout.
  runbookUrl: "https://unpkg.com/mcp-fleet/docs/runbook.md",
  // An alert that goes on is repeated so often.
  repeatHours: 4,
  // Prometheus' own default.
  retentionDays: 15,
  // The latest of each, with its version: what runs does not change by itself.
  prometheusImage: "prom/prometheus:v3.16.0",
  alertmanagerImage: "prom/alertmanager:v0.34.2",
  grafanaImage: "grafana/grafana:13.2.3",
  // Where Debian's packages put them.
  prometheusProgram: "/usr/bin/prometheus",
  alertmanagerProgram: "/usr/bin/prometheus-alertmanager",
  // As people know them.
  prometheusPort: 9090,
  alertmanagerPort: 9093,
  grafanaPort: 3000,
  // It keeps a few hundred alerts.
  alertmanagerMemoryMiB: 128,
});
