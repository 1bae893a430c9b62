import { describe, expect, test } from "@jest/globals";
import { gatewayRules, roleBinding } from "../../../components/kubernetes/access.ts";
import { autoscalerSpec } from "../../../components/kubernetes/autoscaler.ts";
import { kubernetesDefaults } from "../../../components/kubernetes/defaults.ts";
import { deploymentSpec } from "../../../components/kubernetes/deployment.ts";
import { disruptionBudgetSpec } from "../../../components/kubernetes/disruption-budget.ts";
import { httpRouteSpec, ingressSpec } from "../../../components/kubernetes/ingress.ts";
import { metadataOf } from "../../../components/kubernetes/metadata.ts";
import { podSpec } from "../../../components/kubernetes/pod.ts";
import { scaledObjectSpec } from "../../../components/kubernetes/scaled-object.ts";
import { externalSecretSpec } from "../../../components/kubernetes/secrets.ts";
import { serviceSpec } from "../../../components/kubernetes/service.ts";
import { labels, notes, selector } from "./workload.ts";

const health = { httpGet: { path: "/health", port: "http" } };
const spread = (topologyKey: string) => ({
  topologyKey,
  maxSkew: 1,
  whenUnsatisfiable: "ScheduleAnyway",
  labelSelector: { matchLabels: selector },
  matchLabelKeys: ["pod-template-hash"],
});
const pod = {
  serviceAccountName: "mcp-notes",
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  terminationGracePeriodSeconds: 130,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 65532,
    runAsGroup: 65532,
    fsGroup: 65532,
    seccompProfile: { type: "RuntimeDefault" },
  },
  containers: [
    {
      name: "fleet",
      image: "notes:1",
      imagePullPolicy: "IfNotPresent",
      env: [
        { name: "MCP_SERVER_NAME", value: "notes" },
        {
          name: "MCP_SERVER",
          value: '{"type":"custom","process":{"command":"notes"},"scaling":{"minInstances":1,"maxInstances":4}}',
        },
        { name: "MCP_FLEET_HOST", value: "0.0.0.0" },
        { name: "MCP_FLEET_PORT", value: "3001" },
        { name: "MCP_FLEET_ALLOW_ANONYMOUS", value: "true" },
        { name: "MCP_FLEET_DRAIN_MS", value: "120000" },
      ],
      ports: [{ name: "http", containerPort: 3001 }],
      resources: { requests: { cpu: "250m", memory: "512Mi" }, limits: { memory: "512Mi" } },
      startupProbe: { ...health, periodSeconds: 2, failureThreshold: 90 },
      livenessProbe: { ...health, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
      readinessProbe: {
        ...{ httpGet: { path: "/ready", port: "http" } },
        ...{ periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 },
      },
      lifecycle: { preStop: { sleep: { seconds: 5 } } },
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
      volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
    },
  ],
  volumes: [{ name: "tmp", emptyDir: { sizeLimit: "256Mi" } }],
  topologySpreadConstraints: [spread("topology.kubernetes.io/zone"), spread("kubernetes.io/hostname")],
};

describe("a pod", () => {
  test("of a command under the server host, as restricted Pod Security wants it", () => {
    expect(podSpec(notes())).toEqual(pod);
  });

  test("of an image that speaks HTTP itself has its own command, environment and probe", () => {
    const [container] = pod.containers;
    const workload = notes({
      container: {
        ...{ image: "clock:1", command: "clock", args: ["-v"], port: 3000, healthPath: "/healthz" },
        ...{ env: { ZONE: "UTC" }, secretEnv: { KEY: "hidden" }, cpuMillicores: 50, memoryMiB: 64 },
      },
    });
    const probe = { httpGet: { path: "/healthz", port: "http" } };
    expect(podSpec(workload)).toEqual({
      ...pod,
      containers: [
        {
          ...container,
          image: "clock:1",
          command: ["clock"],
          args: ["-v"],
          env: [
            { name: "ZONE", value: "UTC" },
            { name: "KEY", valueFrom: { secretKeyRef: { name: "mcp-notes", key: "KEY" } } },
          ],
          ports: [{ name: "http", containerPort: 3000 }],
          resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "64Mi" } },
          startupProbe: { ...probe, periodSeconds: 2, failureThreshold: 90 },
          livenessProbe: { ...probe, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
          readinessProbe: { ...probe, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 },
        },
      ],
    });
  });

  test("reads secrets of a hosted server from files, wherever the Secret comes from", () => {
    const workload = notes({
      kubernetes: { existingSecret: { name: "vaulted", keys: ["API_KEY"] } },
    });
    const spec = podSpec(workload) as typeof pod;
    expect(spec.volumes).toEqual([
      ...pod.volumes,
      { name: "secrets", secret: { secretName: "vaulted", defaultMode: 288 } },
    ]);
    expect(spec.containers[0]?.volumeMounts).toEqual([
      { name: "tmp", mountPath: "/tmp" },
      { name: "secrets", mountPath: "/run/secrets/mcp-fleet", readOnly: true },
    ]);
    expect(JSON.parse(spec.containers[0]?.env[1]?.value as string).process).toEqual({
      command: "notes",
      env: { API_KEY: "file:/run/secrets/mcp-fleet/API_KEY" },
    });
  });

  test("has time for a call to end: as long as one may take, within a bound, or as the user says", () => {
    const graceOf = (args: Parameters<typeof notes>[0]) => {
      const spec = podSpec(notes(args)) as typeof pod;
      const drain = spec.containers[0]?.env.find(({ name }) => name === "MCP_FLEET_DRAIN_MS")?.value;
      return [spec.terminationGracePeriodSeconds, drain];
    };
    expect(graceOf({ timeouts: { requestMs: 300_500 } })).toEqual([311, "300500"]);
    expect(graceOf({ timeouts: { requestMs: 1000 } })).toEqual([20, "10000"]);
    expect(graceOf({ timeouts: { requestMs: 3_600_000 } })).toEqual([600, "590000"]);
    expect(graceOf({ kubernetes: { terminationGracePeriodSeconds: 1800 } })).toEqual([1800, "1790000"]);
    const own = { image: "clock:1", port: 3000 };
    expect(graceOf({ container: own, timeouts: { requestMs: 60_000 } })).toEqual([70, undefined]);
  });

  test("runs where and as the user wishes", () => {
    const kubernetes = {
      ...{ imagePullPolicy: "Always", imagePullSecrets: ["registry"], nodeSelector: { disk: "fast" } },
      ...{ tolerations: [{ key: "gpu", operator: "Exists" }], priorityClassName: "high", runtimeClassName: "gvisor" },
    };
    const [container] = pod.containers;
    expect(podSpec(notes({ kubernetes }))).toEqual({
      ...pod,
      containers: [{ ...container, imagePullPolicy: "Always" }],
      imagePullSecrets: [{ name: "registry" }],
      nodeSelector: { disk: "fast" },
      tolerations: [{ key: "gpu", operator: "Exists" }],
      priorityClassName: "high",
      runtimeClassName: "gvisor",
    });
  });
});

test("a Deployment leaves its replicas to the autoscaler", () => {
  const spec = {
    revisionHistoryLimit: 3,
    progressDeadlineSeconds: 300,
    selector: { matchLabels: selector },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: 0 } },
    template: { metadata: { labels }, spec: pod },
  };
  expect(deploymentSpec(notes())).toEqual(spec);
  const owned = notes({ scaling: { minInstances: 3 }, kubernetes: { autoscaler: "none", rolloutSeconds: 60 } });
  expect(deploymentSpec(owned)).toEqual({ ...spec, replicas: 3, progressDeadlineSeconds: 60 });
});

test("metadata carries the recommended labels and the user's, which cannot take their place", () => {
  const workload = notes({
    tags: { team: "search", "app.kubernetes.io/name": "mine" },
    kubernetes: { namespace: "tools" },
  });
  expect(metadataOf(workload)).toEqual({
    name: "mcp-notes",
    namespace: "tools",
    labels: { ...labels, team: "search" },
    // What somebody else has changed is put back.
    annotations: { "pulumi.com/patchForce": "true" },
  });
});

test("a Service has no affinity; a load balancer is open to the given addresses only", () => {
  const spec = {
    type: "ClusterIP",
    selector,
    ports: [{ name: "http", port: 3001, targetPort: "http", appProtocol: "http" }],
  };
  expect(serviceSpec(notes())).toEqual(spec);
  const workload = notes({ kubernetes: { network: { ingressCidrs: ["203.0.113.0/24"] } } });
  expect(serviceSpec(workload, "LoadBalancer")).toEqual({
    ...spec,
    type: "LoadBalancer",
    loadBalancerSourceRanges: ["203.0.113.0/24"],
  });
});

test("a PodDisruptionBudget lets one pod go at a time, and a broken one always", () => {
  expect(disruptionBudgetSpec(notes())).toEqual({
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: "AlwaysAllow",
    selector: { matchLabels: selector },
  });
});

const behavior = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: "Max",
    policies: [
      { type: "Percent", value: 100, periodSeconds: 15 },
      { type: "Pods", value: 4, periodSeconds: 15 },
    ],
  },
  scaleDown: {
    stabilizationWindowSeconds: 300,
    selectPolicy: "Max",
    policies: [
      { type: "Percent", value: 25, periodSeconds: 60 },
      { type: "Pods", value: 1, periodSeconds: 60 },
    ],
  },
};
const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "mcp-notes" };

test("a HorizontalPodAutoscaler goes by processor use, and by memory where that is asked for", () => {
  const bounds = { minInstances: 2, maxInstances: 5, targetCpuPercent: 70, scaleDownAfterSeconds: 300 };
  const cpu = { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } };
  const memory = {
    type: "Resource",
    resource: { name: "memory", target: { type: "Utilization", averageUtilization: 80 } },
  };
  const spec = { scaleTargetRef, minReplicas: 2, maxReplicas: 5, metrics: [cpu], behavior };
  expect(autoscalerSpec(notes(), { ...bounds, targetMemoryPercent: undefined })).toEqual(spec);
  expect(autoscalerSpec(notes(), { ...bounds, targetMemoryPercent: 80 })).toEqual({ ...spec, metrics: [cpu, memory] });
});

test("a ScaledObject goes by calls in flight and waiting, down to nothing", () => {
  const bounds = { minInstances: 0, maxInstances: 5, scaleDownAfterSeconds: 300 };
  expect(
    scaledObjectSpec(notes(), "tools", "notes", bounds, 8, { prometheusAddress: "http://prometheus:9090" }),
  ).toEqual({
    scaleTargetRef,
    minReplicaCount: 0,
    maxReplicaCount: 5,
    pollingInterval: 15,
    cooldownPeriod: 300,
    fallback: { failureThreshold: 3, replicas: 5 },
    advanced: { horizontalPodAutoscalerConfig: { behavior } },
    triggers: [
      {
        type: "prometheus",
        metricType: "AverageValue",
        metadata: {
          serverAddress: "http://prometheus:9090",
          query:
            'sum(mcp_server_in_flight{server="notes",namespace="tools"}) + sum(mcp_server_waiting{server="notes",namespace="tools"})',
          threshold: "8",
          activationThreshold: "0",
          ignoreNullValues: "false",
        },
      },
    ],
  });
});

test("an ExternalSecret names the store and each key in it", () => {
  expect(externalSecretSpec(notes(), { store: "vault", keys: { API_KEY: "prod/notes" } })).toEqual({
    refreshInterval: "1h",
    secretStoreRef: { name: "vault", kind: "SecretStore" },
    target: { name: "mcp-notes", creationPolicy: "Owner" },
    data: [{ secretKey: "API_KEY", remoteRef: { key: "prod/notes" } }],
  });
});

test("a gateway may watch EndpointSlices of its namespace, and nothing else", () => {
  expect(gatewayRules).toEqual([
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["get", "list", "watch"] },
  ]);
  expect(roleBinding(notes({ kubernetes: { namespace: "tools" } }))).toEqual({
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "mcp-notes" },
    subjects: [{ kind: "ServiceAccount", name: "mcp-notes", namespace: "tools" }],
  });
});

test("an Ingress and an HTTPRoute lead to the Service, under one name", () => {
  const host = "mcp.example.com";
  const rule = {
    host,
    http: {
      paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "mcp-notes", port: { name: "http" } } } }],
    },
  };
  expect(ingressSpec(notes(), { host })).toEqual({ rules: [rule] });
  expect(ingressSpec(notes(), { host, className: "nginx", tlsSecret: "cert" })).toEqual({
    ingressClassName: "nginx",
    tls: [{ hosts: [host], secretName: "cert" }],
    rules: [rule],
  });
  const parent = { parentName: "edge", parentNamespace: "infra", sectionName: "https" };
  expect(httpRouteSpec(notes(), { host, ...parent })).toEqual({
    parentRefs: [{ name: "edge", namespace: "infra", sectionName: "https" }],
    hostnames: [host],
    rules: [
      {
        matches: [{ path: { type: "PathPrefix", value: "/" } }],
        backendRefs: [{ name: "mcp-notes", port: 3001 }],
        timeouts: { request: "0s" },
      },
    ],
  });
});

test("the defaults, which are a contract", () => {
  expect(kubernetesDefaults).toEqual({
    ...{ imagePullPolicy: "IfNotPresent", fleetCpuMillicores: 250, fleetMemoryMiB: 512 },
    ...{ gatewayCpuMillicores: 500, gatewayMemoryMiB: 512, fleetMinInstances: 2, fleetMaxInstances: 10 },
    ...{ gatewayMinInstances: 2, gatewayMaxInstances: 6, targetCpuPercent: 70, targetInFlight: 16 },
    ...{ scaleDownAfterSeconds: 300, hostPort: 3001, gatewayPort: 8080, path: "/mcp" },
    preStopSeconds: 5,
    drainMs: 10_000,
    lingerMs: 5000,
    graceMarginSeconds: 5,
    longestGraceSeconds: 600,
    rolloutSeconds: 300,
    userId: 65_532,
    temporaryMiB: 256,
    dnsNamespace: "kube-system",
    dnsPodLabels: { "k8s-app": "kube-dns" },
    ...{ dnsCidr: "169.254.20.10/32", dnsPort: 53, apiPorts: [443, 6443] },
    ...{ egressPort: 443, kedaPollingSeconds: 15, kedaCooldownSeconds: 300 },
    ...{ externalRefresh: "1h", externalStoreKind: "SecretStore" },
  });
});
