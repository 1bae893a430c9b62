import { expect, test } from "@jest/globals";
import { lookUpError } from "../../../components/aws/looked-up.ts";
import { InputError, MCPGateway, type MCPGatewayArgs, MCPNetwork, MCPServerFleet } from "../../../index.ts";
import { awsCloud } from "../../support/aws-cloud.ts";
import { type GraphNode, graphOf } from "../../support/graph.ts";

const environment = {
  ...{ vpcId: "vpc-1", privateSubnetIds: ["subnet-1", "subnet-2"], clusterArn: "arn:aws:ecs:::cluster/c" },
  ...{ clusterName: "c", namespaceId: "ns-1", namespaceName: "mcp.internal", gatewaySecurityGroupId: "sg-1" },
};
const fleetArgs = {
  ...{ platform: "aws", type: "custom" as const, container: { image: "notes:1", command: "notes" } },
  aws: { environment },
};
const gatewayArgs: MCPGatewayArgs = {
  platform: "aws",
  fleets: [{ serverName: "remote", configuration: '{"type":"custom","endpoints":["http://a/mcp"]}' }],
  container: { image: "mcp-fleet:1" },
  auth: { bearerTokens: [{ name: "ada", token: "file:/run/secrets/mcp-fleet/ada" }] },
  session: { keys: [{ id: "k1", key: "file:/run/secrets/mcp-fleet/session" }] },
  secrets: { ada: "a", session: "s" },
  aws: { environment, host: "mcp.example.com", certificateArn: "arn:aws:acm:::c", ingressCidrs: ["10.0.0.0/8"] },
};

/** The message with which a program is refused; nothing may have been made by then. */
async function refusal(program: () => unknown, stack = "test"): Promise<string> {
  const registered: GraphNode[] = [];
  const error = await graphOf(program, registered, awsCloud, { project: "shop", stack }).then(
    () => undefined,
    (reason) => reason,
  );
  expect(registered.filter(({ type }) => type.startsWith("aws:"))).toEqual([]);
  expect(error).toBeInstanceOf(InputError);
  return (error as Error).message;
}

test("right arguments are taken, with a network of one's own", async () => {
  const graph = await graphOf(
    () => [new MCPServerFleet("notes", fleetArgs), new MCPGateway("gateway", gatewayArgs)],
    [],
    awsCloud,
  );
  expect(graph.filter(({ name }) => name.endsWith("-service")).map(({ name }) => name)).toEqual([
    "gateway-service",
    "notes-service",
  ]);
});

const needsReplacing = "or give an MCPNetwork as aws.environment";
test.each([
  [{ container: undefined }, "container.image is missing; give an image in a registry that ECS can reach, such as ECR"],
  [
    { container: { image: "a" } },
    "has no source of instances; give container.command, container.port, endpoints, or discovery",
  ],
  [{ type: "magic" }, 'container.command stands beside the preset "magic"; remove it, or set type to custom'],
  [
    { container: { ...fleetArgs.container, path: "/x" } },
    "container.path is given, but the server host serves this server; add container.port or remove it",
  ],
  [
    { container: { image: "a", port: 1, healthPath: "/h" } },
    "container.healthPath is given, but nothing outside an ECS task asks a fleet; give the image a HEALTHCHECK, and remove container.healthPath",
  ],
  [
    { container: { image: "a", port: 1 }, scaling: { targetInFlight: 3 } },
    "scaling.targetInFlight is given, but only the server host counts calls in flight; remove it, or run the server under the server host: container.command instead of container.port",
  ],
  [
    { scaling: { minInstances: 0 } },
    "scaling.minInstances is 0, but nothing on ECS would start the first task of a call; give 1",
  ],
  [
    { scaling: { minInstances: 11 } },
    "scaling.minInstances: is 11, more than maxInstances (10); raise maxInstances or lower minInstances",
  ],
  [{ container: { ...fleetArgs.container, cpuMillicores: 250, memoryMiB: 122_880 }, scaling: {} }, undefined],
  [{ aws: undefined }, "aws.environment is missing; give an MCPNetwork, or the ids of a network of your own"],
  [
    { aws: { environment: { ...environment, clusterArn: undefined } } },
    `aws.environment.clusterArn is missing; add it, ${needsReplacing}`,
  ],
  [
    { aws: { environment, logRetentionDays: 31 } },
    "aws.logRetentionDays: is 31; give one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653",
  ],
  [
    { endpoints: ["http://a/mcp"] },
    "container stands beside endpoints, which something else runs; remove one of the two",
  ],
  [{ kubernetes: {} }, 'kubernetes is given, but platform is "aws"; remove kubernetes, or set platform to kubernetes'],
])("fleet %#: %j", async (change, problem) => {
  const args = { ...fleetArgs, ...change } as ConstructorParameters<typeof MCPServerFleet>[1];
  if (problem === undefined) {
    await graphOf(() => new MCPServerFleet("notes", args), [], awsCloud);
    return;
  }
  expect(await refusal(() => new MCPServerFleet("notes", args))).toContain(`MCPServerFleet "notes": ${problem}`);
});

test.each([
  [{ container: undefined }, "container.image is missing"],
  [{ port: 80 }, "port is given, but tasks listen at 8080; remove it (clients call aws.host)"],
  [{ auth: undefined }, "auth is missing, and others reach the gateway"],
  [{ session: undefined }, "session.keys is missing, and every replica must open what another one has sealed"],
  [{ secrets: { ada: "a" } }, 'a reference names the secret "session", which is not given; add secrets.session'],
  [{ aws: { ...gatewayArgs.aws, host: undefined } }, "aws.host is missing; give the name that clients call"],
  [
    { aws: { ...gatewayArgs.aws, certificateArn: undefined } },
    "aws.certificateArn is missing; give a certificate of aws.host, or aws.dns in which one is validated",
  ],
  [{ aws: { ...gatewayArgs.aws, ingressCidrs: [] } }, "aws.ingressCidrs is missing, so nobody could call"],
  [{ aws: { ...gatewayArgs.aws, public: true } }, "aws.public is true without aws.environment.publicSubnetIds"],
  [{ aws: { ...gatewayArgs.aws, idleTimeoutSeconds: 5 } }, "aws.idleTimeoutSeconds"],
  [{ fleets: [{ serverName: "remote" }] }, "fleets[0].configuration is missing"],
])("gateway %#: %j", async (change, problem) => {
  const args = { ...gatewayArgs, ...change } as MCPGatewayArgs;
  expect(await refusal(() => new MCPGateway("gateway", args))).toContain(`MCPGateway "gateway": ${problem}`);
});

// The provider appends "-" and seven digits to `<name>-lb`, `<name>-tg` and `<name>-tg2`; AWS takes 32 characters.
test("a gateway's name fits into those of its load balancer and target groups with what the provider appends", async () => {
  const name = "a".repeat(20);
  const shifted = { ...gatewayArgs, aws: { ...gatewayArgs.aws, deployment: { strategy: "canary" } } } as MCPGatewayArgs;
  const graph = await graphOf(() => new MCPGateway(name, shifted), [], awsCloud);
  const bounded = graph.filter(({ type }) => /^aws:lb\/(loadBalancer|targetGroup):/.test(type));
  expect(bounded.map((node) => `${node.name}-1234567`.length)).toEqual([31, 31, 32]);
  expect(await refusal(() => new MCPGateway("a".repeat(21), shifted))).toContain(
    `the name "${"a".repeat(21)}" becomes that of a load balancer; use lower case letters, digits and hyphens, at most 20 characters, beginning with a letter`,
  );
});

test.each(["internal", "internal-gateway"])(
  "a gateway called %s is refused: a load balancer's name cannot begin so",
  async (name) => {
    expect(await refusal(() => new MCPGateway(name, gatewayArgs))).toContain(
      `the name "${name}" becomes that of a load balancer, which cannot begin with "internal-"; give one that begins otherwise (aws.public says who reaches the gateway)`,
    );
  },
);

test("a name that begins as ids of security groups do is refused", async () => {
  const problem =
    'the name "sg-tools" becomes that of a security group, which cannot begin with "sg-"; give one that begins otherwise';
  expect(await refusal(() => new MCPServerFleet("sg-tools", fleetArgs))).toContain(problem);
  expect(await refusal(() => new MCPGateway("sg-tools", gatewayArgs))).toContain(problem);
});

test.each([
  [
    "eu.prod",
    false,
    'the task definition would be called "shop-eu.prod-gateway", which ECS refuses; use letters, digits, hyphens and underscores in the names of project and stack',
  ],
  [
    "Prod",
    true,
    'the cache of aws.sharedCache would be called "shop-Prod-gateway", which ElastiCache refuses; use lower case letters, digits and single hyphens in the names of project, stack and gateway',
  ],
  [
    "production-of-the-whole-company",
    true,
    'the cache of aws.sharedCache would be called "shop-production-of-the-whole-company-gateway", which has 44 characters; shorten the names of project, stack and gateway until it has 40',
  ],
])("a stack called %s makes names that AWS refuses", async (stack, sharedCache, problem) => {
  const args = { ...gatewayArgs, aws: { ...gatewayArgs.aws, sharedCache } } as MCPGatewayArgs;
  expect(await refusal(() => new MCPGateway("gateway", args), stack)).toBe(`MCPGateway "gateway": ${problem}`);
});

test("without credentials a preview says what it needs", () => {
  const refused = new Error(
    "invocation of aws:index/getCallerIdentity:getCallerIdentity returned an error: no valid credential sources found",
  );
  expect(lookUpError('MCPGateway "gateway"', "its account (sts:GetCallerIdentity)", refused).message).toBe(
    `MCPGateway "gateway": a preview asks AWS for its account (sts:GetCallerIdentity) too, and had no answer; give credentials (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) and a region (pulumi config set aws:region). The provider says: ${refused.message}`,
  );
});

test("a network whose name does not fit into those of a role and of security groups", async () => {
  expect(await refusal(() => new MCPNetwork("n".repeat(47), {}))).toContain(
    `the name "${"n".repeat(47)}" becomes part of a role's; give one of at most 46 characters`,
  );
  expect(await refusal(() => new MCPNetwork("sg-network", {}))).toContain('cannot begin with "sg-"');
});

test("a network that cannot be", async () => {
  expect(await refusal(() => new MCPNetwork("network", { cidrBlock: "10.0.0.0/8", zones: ["a"] }))).toBe(
    [
      'MCPNetwork "network": cidrBlock is "10.0.0.0/8"; give a block of size 16 such as 10.42.0.0/16',
      'MCPNetwork "network": zones has 1 entries; give two to six availability zones',
    ].join("\n"),
  );
});
