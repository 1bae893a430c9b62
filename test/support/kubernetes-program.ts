import { MCPGateway, type MCPGatewayArgs, MCPServerFleet, MonitoringStack } from "../../index.ts";

const folder = "/run/secrets/mcp-fleet";
const namespace = "tools";

/** Kinds that operators define, which the real definitions check (test/engines/staging). */
export const operatorKinds: readonly string[] = [
  ...["ScaledObject", "ExternalSecret", "HTTPRoute"],
  ...["PrometheusRule", "ServiceMonitor", "AlertmanagerConfig"],
];

/** Arguments of a gateway with everything that it must have. */
export const gatewayArgs: Omit<MCPGatewayArgs, "fleets"> = {
  platform: "kubernetes",
  container: { image: "mcp-fleet:1" },
  auth: { bearerTokens: [{ name: "ada", token: `file:${folder}/ada` }] },
  session: { keys: [{ id: "k1", key: `file:${folder}/session` }] },
  secrets: { ada: "token-of-ada", session: "key-of-sessions" },
  tags: { team: "search" },
  kubernetes: { namespace },
};

/** A stdio server under the server host, an HTTP server of its own, one that something else runs, and their gateway. */
export function ordinaryProgram(): MCPGateway {
  const common = { platform: "kubernetes", type: "custom", tags: { team: "search" } } as const;
  const notes = new MCPServerFleet("notes", {
    ...common,
    container: { image: "notes:1", command: "notes", secretEnv: { API_KEY: "hidden" } },
    scaling: { minInstances: 2, maxInstances: 5 },
    tools: { deny: ["forget"] },
    kubernetes: { namespace },
  });
  const clock = new MCPServerFleet(
    "clock",
    {
      ...common,
      container: { image: "clock:1", port: 3000, path: "/" },
      kubernetes: { namespace, autoscaler: "none" },
    },
    { aliases: [{ name: "watch" }] },
  );
  const remote = new MCPServerFleet("remote", { ...common, endpoints: ["https://mcp.example.com/mcp"] });
  return new MCPGateway("gateway", { ...gatewayArgs, fleets: [notes, clock, remote] });
}

/** The same with what operators of the cluster bring: KEDA, external-secrets, an Ingress and an HTTPRoute. */
export function operatorProgram(): MCPGateway[] {
  const fleet = new MCPServerFleet("notes", {
    ...{ platform: "kubernetes", type: "custom", container: { image: "notes:1", command: "notes" } },
    scaling: { minInstances: 0, targetInFlight: 8 },
    kubernetes: {
      ...{ namespace, autoscaler: "keda", keda: { prometheusAddress: "http://prometheus:9090" } },
      externalSecret: { store: "vault", keys: { API_KEY: "prod/notes" } },
    },
  });
  const network = { ingressNamespaces: ["edge"] };
  const ingress = { host: "a.example.com", tlsSecret: "cert" };
  const httpRoute = { host: "b.example.com", parentName: "edge" };
  return Object.entries({ first: { ingress }, second: { httpRoute } }).map(
    ([name, front]) =>
      new MCPGateway(name, { ...gatewayArgs, fleets: [fleet], kubernetes: { namespace, network, ...front } }),
  );
}

/** A gateway that is watched, with a rule of the user's and every way to tell somebody. */
export function monitoringProgram(): MonitoringStack {
  return new MonitoringStack("watch", {
    platform: "kubernetes",
    gateway: { metricsTarget: "http://gateway.tools.svc:8080/metrics" },
    alertRules: [
      {
        ...{ name: "High Error Rate", metric: "mcp_server_error_rate", condition: "gt", threshold: 0.05 },
        ...{ severity: "high", notifications: { webhook: "https://alerts.example.com/rule", slack: "#rule" } },
      },
    ],
    notifications: { webhook: "https://alerts.example.com/all", email: ["ops@example.com"], slack: "#alerts" },
    senders: {
      email: { smarthost: "smtp.example.com:587", from: "mcp@example.com", username: "mcp", password: "mail-password" },
      slackUrl: "https://hooks.slack.example/T/B/x",
    },
    tags: { team: "search" },
    kubernetes: { namespace, labels: { release: "prometheus" }, tokenSecretName: "mcp-gateway", tokenSecretKey: "ada" },
  });
}
