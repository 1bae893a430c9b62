/** A configuration of Prometheus, Alertmanager or Grafana as its file has it: JSON is YAML to them. */
export const fileText = (configuration: object): string => `${JSON.stringify(configuration, null, 2)}\n`;
