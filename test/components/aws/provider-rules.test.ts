import { expect, test } from "@jest/globals";
import { serviceArgs } from "../../../components/aws/service.ts";
import type { Workload } from "../../../components/aws/workload.ts";
import { differencesOf } from "../../engines/stand-ins/aws/kind.ts";
import { providerRules } from "../../engines/stand-ins/aws/provider-rules.ts";

// The stand-in for the provider plugin compares and refuses as the plugin does, so that a stack that could not be brought up with
// the plugin cannot be brought up in our own tests either.
const service = "aws:ecs/service:Service";
const refusals = (type: string, inputs: object) => providerRules[type]?.refuses?.(inputs);
const argumentsOf = (spot: boolean, subnets = ["a", "b"]) => {
  const environment = { clusterArn: "arn:aws:ecs:::cluster/c", privateSubnetIds: subnets };
  const workload = { component: "", name: "notes", role: "fleet", tags: {}, block: { environment, spot } };
  const front = { securityGroups: ["sg-1"], needs: [] };
  return serviceArgs(workload as unknown as Workload, "arn:task", 2, front) as unknown as Record<string, unknown>;
};

test("names that the bridge has made too long are refused, as they were with earlier names of children", () => {
  const name = "production-gateway";
  const too = (made: string) => [`"name" cannot be longer than 32 characters: "${made}"`];
  const earlier = { lb: `${name}-balancer-1234567`, tg: `${name}-targets-next-1234567` };
  expect(refusals("aws:lb/loadBalancer:LoadBalancer", { name: earlier.lb })).toEqual(too(earlier.lb));
  expect(refusals("aws:lb/targetGroup:TargetGroup", { name: earlier.tg })).toEqual(too(earlier.tg));
  expect(refusals("aws:lb/loadBalancer:LoadBalancer", { name: `${name}-lb-1234567` })).toEqual([]);
  expect(refusals("aws:lb/targetGroup:TargetGroup", { name: `${name}-tg2-1234567` })).toEqual([]);
  expect(refusals("aws:iam/role:Role", { name: "r".repeat(65) })).toHaveLength(1);
  expect(refusals("aws:ec2/securityGroup:SecurityGroup", { name: "sg-tools-security-1234567" })).toEqual([
    "invalid value for name (cannot begin with sg-)",
  ]);
});

test("another capacity provider is an update of a service, and is refused without a forced deployment", () => {
  const [olds, news] = [argumentsOf(false), argumentsOf(true)];
  expect(differencesOf(service, olds, news)).toEqual({ changed: ["capacityProviderStrategies"], replaces: [] });
  const { forceNewDeployment: _, ...unforced } = news;
  expect(() => differencesOf(service, olds, unforced)).toThrow(
    "force_new_deployment should be true when capacity_provider_strategy is being updated",
  );
});

test("a deployment strategy that is not declared stays as it was: a rolling update must be declared", () => {
  const canary = { ...argumentsOf(false), deploymentConfiguration: { strategy: "CANARY" } };
  const { deploymentConfiguration: _, ...undeclared } = canary;
  expect(differencesOf(service, canary, undeclared).changed).toEqual([]);
  expect(differencesOf(service, canary, argumentsOf(false)).changed).toEqual(["deploymentConfiguration"]);
});

test.each([
  ["subnets", service, argumentsOf(false, ["a", "b"]), argumentsOf(false, ["b", "a"])],
  [
    "statements of a policy",
    "aws:iam/role:Role",
    { assumeRolePolicy: '{"Version":"1","Statement":[{"Action":"a","Effect":"Allow"}]}' },
    { assumeRolePolicy: '{ "Statement": {"Effect":"Allow","Action":["a"]}, "Version": "1" }' },
  ],
  [
    "variables of a container",
    "aws:ecs/taskDefinition:TaskDefinition",
    { containerDefinitions: '[{"name":"a","environment":[{"name":"A"},{"name":"B"}]}]' },
    { containerDefinitions: '[{"environment":[{"name":"B"},{"name":"A"}],"name":"a"}]' },
  ],
  ["the case of a protocol", "aws:lb/listener:Listener", { protocol: "HTTP" }, { protocol: "http" }],
  [
    "blanks of a dashboard",
    "aws:cloudwatch/dashboard:Dashboard",
    { dashboardBody: '{"widgets":[]}' },
    { dashboardBody: '{ "widgets": [ ] }' },
  ],
])("%s in another order or form are no change", (_what, type, olds, news) => {
  expect(differencesOf(type, olds, news)).toEqual({ changed: [], replaces: [] });
});

const tcp = { securityGroupId: "sg-1", ipProtocol: "tcp", fromPort: 1, toPort: 1 };
const dns = (ttl: number, namespaceId: string) => ({ dnsConfig: { namespaceId, dnsRecords: [{ type: "A", ttl }] } });
test.each([
  ["the port of a target group", "aws:lb/targetGroup:TargetGroup", { port: 1 }, { port: 2 }, ["port"]],
  [
    "who reaches a load balancer",
    "aws:lb/loadBalancer:LoadBalancer",
    { internal: true },
    { internal: false },
    ["internal"],
  ],
  ["its subnets", "aws:lb/loadBalancer:LoadBalancer", { subnets: ["a"] }, { subnets: ["b"] }, []],
  ["the priority of a rule", "aws:lb/listenerRule:ListenerRule", { priority: 1 }, { priority: 2 }, []],
  [
    "the value of a secret",
    "aws:secretsmanager/secretVersion:SecretVersion",
    { secretString: "a" },
    { secretString: "b" },
    ["secretString"],
  ],
  [
    "an address in place of a group",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    { ...tcp, referencedSecurityGroupId: "sg-2" },
    { ...tcp, cidrIpv4: "10.0.0.0/8" },
    ["cidrIpv4", "referencedSecurityGroupId"],
  ],
  [
    "another group",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    { ...tcp, referencedSecurityGroupId: "sg-2" },
    { ...tcp, referencedSecurityGroupId: "sg-3" },
    [],
  ],
  ["how long a name is kept", "aws:servicediscovery/service:Service", dns(10, "ns-1"), dns(20, "ns-1"), []],
  ["where a name is", "aws:servicediscovery/service:Service", dns(10, "ns-1"), dns(10, "ns-2"), ["dnsConfig"]],
  ["tags of a task definition", "aws:ecs/taskDefinition:TaskDefinition", { tags: { a: "1" } }, { tags: {} }, []],
])("a change of %s makes a new resource or not, as with the provider", (_what, type, olds, news, replaces) => {
  const found = differencesOf(type, olds, news);
  expect(found.changed.length).toBeGreaterThan(0);
  expect([...found.replaces].sort()).toEqual(replaces);
});
