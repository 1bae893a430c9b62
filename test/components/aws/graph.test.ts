import { beforeAll, expect, test } from "@jest/globals";
import type * as pulumi from "@pulumi/pulumi";
import { MCPGateway, MCPNetwork, MCPServerFleet } from "../../../index.ts";
import { awsCloud } from "../../support/aws-cloud.ts";
import { type GraphNode, graphOf, triples } from "../../support/graph.ts";

const folder = "/run/secrets/mcp-fleet";
let graph: GraphNode[];
let gateway: MCPGateway;
let notes: MCPServerFleet;
const node = (name: string) => graph.find((one) => one.name === name) as GraphNode;
const value = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));

/** A network, a stdio server under the server host, an HTTP server of its own, and their gateway. */
function program() {
  const tags = { team: "search" };
  const environment = new MCPNetwork("network", { zones: ["eu-central-1a", "eu-central-1b"], tags });
  const common = { platform: "aws", type: "custom", tags, aws: { environment } } as const;
  notes = new MCPServerFleet("notes", {
    ...common,
    container: { image: "notes:1", command: "notes", secretEnv: { API_KEY: "hidden" } },
    scaling: { minInstances: 2, maxInstances: 5, targetInFlight: 8, targetMemoryPercent: 80 },
    tools: { deny: ["forget"] },
  });
  const clock = new MCPServerFleet(
    "clock",
    { ...common, container: { image: "clock:1", port: 3000, path: "/" }, aws: { environment, spot: true } },
    { aliases: [{ name: "watch" }] },
  );
  gateway = new MCPGateway("gateway", {
    platform: "aws",
    container: { image: "mcp-fleet:1" },
    fleets: [notes, clock],
    auth: { bearerTokens: [{ name: "ada", token: `file:${folder}/ada` }] },
    session: { keys: [{ id: "k1", key: `file:${folder}/session` }] },
    secrets: { ada: "token-of-ada", session: "key-of-sessions" },
    tags,
    aws: {
      environment,
      host: "mcp.example.com",
      dns: { zoneId: "Z1" },
      public: true,
      ingressCidrs: ["203.0.113.0/24"],
      sharedCache: true,
      webAclArn: "arn:aws:wafv2:eu-central-1:1:regional/webacl/a/b",
    },
  });
}

beforeAll(async () => {
  graph = await graphOf(program, [], awsCloud);
});

test("types, names and parents, which states depend on", () => {
  expect(triples(graph)).toEqual([
    "mcp-fleet:index:MCPServerFleet clock < ",
    "aws:servicediscovery/service:Service clock-discovery < clock",
    "aws:iam/rolePolicy:RolePolicy clock-execution-policy < clock",
    "aws:iam/role:Role clock-execution-role < clock",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule clock-from-gateways < clock",
    "aws:cloudwatch/logGroup:LogGroup clock-logs < clock",
    "aws:appautoscaling/target:Target clock-scaling < clock",
    "aws:appautoscaling/policy:Policy clock-scaling-cpu < clock",
    "aws:ec2/securityGroup:SecurityGroup clock-security < clock",
    "aws:ecs/service:Service clock-service < clock",
    "aws:ecs/taskDefinition:TaskDefinition clock-task < clock",
    "aws:iam/role:Role clock-task-role < clock",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule clock-to-tls-1 < clock",
    "mcp-fleet:index:MCPGateway gateway < ",
    "aws:ec2/securityGroup:SecurityGroup gateway-balancer-security < gateway",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule gateway-balancer-to-tasks < gateway",
    "aws:elasticache/serverlessCache:ServerlessCache gateway-cache < gateway",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule gateway-cache-from-tasks < gateway",
    "aws:ec2/securityGroup:SecurityGroup gateway-cache-security < gateway",
    "aws:acm/certificate:Certificate gateway-certificate < gateway",
    "aws:route53/record:Record gateway-certificate-record < gateway",
    "aws:acm/certificateValidation:CertificateValidation gateway-certificate-validation < gateway",
    "aws:iam/rolePolicy:RolePolicy gateway-execution-policy < gateway",
    "aws:iam/role:Role gateway-execution-role < gateway",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule gateway-from-balancer < gateway",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule gateway-from-clients-1-443 < gateway",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule gateway-from-clients-1-80 < gateway",
    "aws:lb/listener:Listener gateway-http < gateway",
    "aws:lb/listener:Listener gateway-https < gateway",
    "aws:lb/loadBalancer:LoadBalancer gateway-lb < gateway",
    "aws:cloudwatch/logGroup:LogGroup gateway-logs < gateway",
    "aws:route53/record:Record gateway-record < gateway",
    "aws:appautoscaling/target:Target gateway-scaling < gateway",
    "aws:appautoscaling/policy:Policy gateway-scaling-cpu < gateway",
    "aws:secretsmanager/secret:Secret gateway-secret < gateway",
    "aws:secretsmanager/secretVersion:SecretVersion gateway-secret-value < gateway",
    "aws:ec2/securityGroup:SecurityGroup gateway-security < gateway",
    "aws:ecs/service:Service gateway-service < gateway",
    "aws:ecs/taskDefinition:TaskDefinition gateway-task < gateway",
    "aws:iam/role:Role gateway-task-role < gateway",
    "aws:lb/targetGroup:TargetGroup gateway-tg < gateway",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule gateway-to-cache < gateway",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule gateway-to-tls-1 < gateway",
    "aws:wafv2/webAclAssociation:WebAclAssociation gateway-web-acl < gateway",
    "mcp-fleet:index:MCPNetwork network < ",
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders network-capacity < network",
    "aws:ecs/cluster:Cluster network-cluster < network",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup network-default-security < network",
    "aws:ec2/flowLog:FlowLog network-flow-log < network",
    "aws:cloudwatch/logGroup:LogGroup network-flow-logs < network",
    "aws:iam/rolePolicy:RolePolicy network-flow-policy < network",
    "aws:iam/role:Role network-flow-role < network",
    "aws:ec2/securityGroup:SecurityGroup network-gateways < network",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule network-gateways-to-fleets < network",
    "aws:ec2/internetGateway:InternetGateway network-internet < network",
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace network-namespace < network",
    "aws:ec2/natGateway:NatGateway network-nat-1 < network",
    "aws:ec2/eip:Eip network-nat-address-1 < network",
    "aws:ec2/subnet:Subnet network-private-1 < network",
    "aws:ec2/subnet:Subnet network-private-2 < network",
    "aws:ec2/routeTable:RouteTable network-private-routes-1 < network",
    "aws:ec2/routeTable:RouteTable network-private-routes-2 < network",
    "aws:ec2/routeTableAssociation:RouteTableAssociation network-private-way-1 < network",
    "aws:ec2/routeTableAssociation:RouteTableAssociation network-private-way-2 < network",
    "aws:ec2/subnet:Subnet network-public-1 < network",
    "aws:ec2/subnet:Subnet network-public-2 < network",
    "aws:ec2/routeTable:RouteTable network-public-routes < network",
    "aws:ec2/routeTableAssociation:RouteTableAssociation network-public-way-1 < network",
    "aws:ec2/routeTableAssociation:RouteTableAssociation network-public-way-2 < network",
    "aws:ec2/vpcEndpoint:VpcEndpoint network-s3 < network",
    "aws:ec2/vpc:Vpc network-vpc < network",
    "mcp-fleet:index:MCPServerFleet notes < ",
    "aws:servicediscovery/service:Service notes-discovery < notes",
    "aws:iam/rolePolicy:RolePolicy notes-execution-policy < notes",
    "aws:iam/role:Role notes-execution-role < notes",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule notes-from-gateways < notes",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter notes-in-flight < notes",
    "aws:cloudwatch/logGroup:LogGroup notes-logs < notes",
    "aws:appautoscaling/target:Target notes-scaling < notes",
    "aws:appautoscaling/policy:Policy notes-scaling-cpu < notes",
    "aws:appautoscaling/policy:Policy notes-scaling-in-flight < notes",
    "aws:appautoscaling/policy:Policy notes-scaling-memory < notes",
    "aws:secretsmanager/secret:Secret notes-secret < notes",
    "aws:secretsmanager/secretVersion:SecretVersion notes-secret-value < notes",
    "aws:ec2/securityGroup:SecurityGroup notes-security < notes",
    "aws:ecs/service:Service notes-service < notes",
    "aws:ecs/taskDefinition:TaskDefinition notes-task < notes",
    "aws:iam/role:Role notes-task-role < notes",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule notes-to-tls-1 < notes",
  ]);
});

test("what is secret stays so, and everything bears the user's tags", () => {
  const plain = /hidden|token-of-ada|key-of-sessions/;
  const found: string[] = [];
  const walk = (path: string, item: unknown): void => {
    if (typeof item === "string" && plain.test(item)) found.push(path);
    if (typeof item !== "object" || item === null || "secret" in item) return;
    for (const [key, inner] of Object.entries(item)) walk(`${path}.${key}`, inner);
  };
  for (const { name, inputs } of graph) walk(name, inputs);
  expect(found).toEqual([]);
  const untagged = graph.filter(({ type, inputs }) => {
    if (!type.startsWith("aws:") || !("tags" in inputs)) return false;
    return (inputs.tags as Record<string, string>).team !== "search";
  });
  expect(untagged.map(({ name }) => name)).toEqual([]);
  // These kinds have no tags in AWS.
  const without = graph.filter(({ type, inputs }) => type.startsWith("aws:") && !("tags" in inputs));
  expect([...new Set(without.map(({ type }) => type))].sort()).toEqual([
    "aws:acm/certificateValidation:CertificateValidation",
    "aws:appautoscaling/policy:Policy",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter",
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:route53/record:Record",
    "aws:secretsmanager/secretVersion:SecretVersion",
    "aws:wafv2/webAclAssociation:WebAclAssociation",
  ]);
});

test("a hosted server's container", async () => {
  const { containerDefinitions, cpu, memory } = node("notes-task").inputs;
  expect([cpu, memory]).toEqual(["512", "1024"]);
  const [container] = JSON.parse(containerDefinitions as string);
  expect(container).toEqual({
    name: "fleet",
    image: "notes:1",
    essential: true,
    environment: [
      { name: "MCP_FLEET_ALLOW_ANONYMOUS", value: "true" },
      { name: "MCP_FLEET_HOST", value: "0.0.0.0" },
      { name: "MCP_FLEET_LOAD_LOG_SECONDS", value: "15" },
      { name: "MCP_FLEET_PORT", value: "3001" },
      {
        name: "MCP_SERVER",
        value: JSON.stringify({
          type: "custom",
          process: { command: "notes", env: { API_KEY: "${API_KEY}" } },
          scaling: { minInstances: 1, maxInstances: 4 },
        }),
      },
      { name: "MCP_SERVER_NAME", value: "notes" },
      { name: "TMPDIR", value: "/tmp" },
    ],
    secrets: [{ name: "API_KEY", valueFrom: "arn:aws:test:::notes-secret:API_KEY::v1" }],
    portMappings: [{ name: "http", containerPort: 3001, protocol: "tcp", appProtocol: "http" }],
    healthCheck: {
      command: ["CMD", "/usr/local/bin/node", "/app/lib/bundle/healthcheck.js"],
      ...{ interval: 10, timeout: 5, retries: 3, startPeriod: 60 },
    },
    stopTimeout: 30,
    user: "65532:65532",
    readonlyRootFilesystem: true,
    privileged: false,
    linuxParameters: { initProcessEnabled: true, capabilities: { drop: ["ALL"] } },
    mountPoints: [{ sourceVolume: "tmp", containerPath: "/tmp", readOnly: false }],
    logConfiguration: {
      logDriver: "awslogs",
      options: {
        "awslogs-group": "notes-logs",
        "awslogs-region": "eu-central-1",
        "awslogs-stream-prefix": "fleet",
        ...{ mode: "non-blocking", "max-buffer-size": "4m" },
      },
    },
  });
});

test("the gateway is told where its fleets are, and gets its secrets by reference", () => {
  const [container] = JSON.parse(node("gateway-task").inputs.containerDefinitions as string);
  const text = container.environment.find(({ name }: { name: string }) => name === "MCP_FLEET_CONFIG_TEXT").value;
  const { gateway: own, servers } = JSON.parse(text);
  expect(own).toMatchObject({
    ...{ host: "0.0.0.0", port: 8080, allowedHosts: ["mcp.example.com"] },
    ...{ auth: { bearerTokens: [{ name: "ada", token: "${MCP_FLEET_SECRET_1}" }] } },
    session: { keys: [{ id: "k1", key: "${MCP_FLEET_SECRET_2}" }] },
  });
  expect(servers.notes).toEqual({
    type: "custom",
    tools: { deny: ["forget"] },
    protocol: "http",
    discovery: { dns: { name: "notes.shop-test.internal", port: 3001, path: "/mcp" } },
  });
  expect(servers.clock.discovery).toEqual({ dns: { name: "clock.shop-test.internal", port: 3000, path: "/" } });
});

test("outputs", async () => {
  expect(await Promise.all([gateway.endpoint, gateway.internalEndpoint, notes.metricsTarget].map(value))).toEqual([
    "https://mcp.example.com/mcp",
    "https://mcp.example.com",
    "http://notes.shop-test.internal:3001/metrics",
  ]);
  expect(await value(notes.internalEndpoint)).toBe("http://notes.shop-test.internal:3001/mcp");
});

test("services: private, found by gateways only, rolled back when they fail, counted by the autoscaler", () => {
  expect(node("clock-service").inputs).toMatchObject({
    capacityProviderStrategies: [{ capacityProvider: "FARGATE_SPOT", weight: 1, base: 0 }],
    networkConfiguration: { assignPublicIp: false },
    forceNewDeployment: true,
    deploymentConfiguration: { strategy: "ROLLING" },
    deploymentCircuitBreaker: { enable: true, rollback: true },
    deploymentMinimumHealthyPercent: 100,
    waitForSteadyState: true,
  });
  expect(node("notes-from-gateways").inputs).toMatchObject({
    referencedSecurityGroupId: "network-gateways-id",
    ...{ fromPort: 3001, toPort: 3001, ipProtocol: "tcp" },
  });
  const ingress = graph.filter(({ type }) => type === "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule");
  expect(ingress.filter(({ inputs }) => inputs.cidrIpv4 !== undefined).map(({ inputs }) => inputs.cidrIpv4)).toEqual([
    "203.0.113.0/24",
    "203.0.113.0/24",
  ]);
  expect(node("notes-scaling-in-flight").inputs.targetTrackingScalingPolicyConfiguration).toEqual({
    customizedMetricSpecification: {
      ...{ namespace: "mcp-fleet", metricName: "shop-test-notes-in-flight", statistic: "Average" },
    },
    ...{ scaleInCooldown: 300, scaleOutCooldown: 30, targetValue: 8 },
  });
  expect(node("clock").aliases).toEqual(["watch"]);
  expect(node("gateway-lb").aliases).toContain("gateway-balancer");
  expect(node("gateway-tg").aliases).toContain("gateway-targets");
  expect(node("gateway-service").dependsOn).toEqual(
    expect.arrayContaining(["gateway-https", "gateway-execution-policy"]),
  );
});
