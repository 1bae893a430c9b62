import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MCPGateway, MCPNetwork, MCPServerFleet, MonitoringStack } from "../../../index.ts";
import { awsCloud } from "../../support/aws-cloud.ts";
import { expectChecked } from "../../support/checkov.ts";
import { type GraphNode, graphOf } from "../../support/graph.ts";
import { testWith } from "../../support/needs.ts";
import { stackGraph } from "../../support/stack-graph.ts";
import { terraformPlan } from "../../support/terraform-plan.ts";

/** Checks that do not apply to any graph of ours, each with its reason. */
const always: Readonly<Record<string, string>> = {
  CKV2_AWS_11: "there is a flow log (network-flow-log); the check follows references, and a graph has ids",
  CKV2_AWS_12: "the default group has no rules (network-default-security); likewise",
  CKV2_AWS_19: "the addresses are those of the NAT gateways; likewise",
  CKV2_AWS_5: "the groups are those of services and of the load balancer; likewise",
  CKV2_AWS_57: "the values are the stack's own: a new one is set there, and renews the tasks",
  CKV_AWS_378: "TLS ends at the load balancer; behind it calls stay in private subnets, between two security groups",
};

/** What the stack prod leaves to who uses it. Everything else must pass. */
const left: Readonly<Record<string, string>> = {
  CKV_AWS_149: "without kmsKeyArn AWS's own key encrypts; a key of one's own is the user's choice",
  CKV_AWS_158: "likewise for logs",
  CKV_AWS_26:
    "CloudWatch may not speak in a topic that AWS's own key encrypts; monitoring.aws.kmsKeyArn gives one of one's own",
  CKV_AWS_338: "logs are kept for thirty days unless logRetentionDays says otherwise",
  CKV_AWS_91: "access logs need a bucket: accessLogsBucket",
};

/** Of a graph that has all that. */
const used: Readonly<Record<string, string>> = {
  CKV2_AWS_23: "the record is another name of the load balancer; the check follows references, and a graph has ids",
  CKV2_AWS_28: "the load balancer has its ACL (gateway-web-acl); likewise",
};

function expectNothing(graph: readonly GraphNode[], exceptions: Readonly<Record<string, string>>): void {
  const folder = mkdtempSync(join(tmpdir(), "plan-test-"));
  const path = join(folder, "plan.json");
  writeFileSync(path, JSON.stringify(terraformPlan(graph)));
  expectChecked("terraform_plan", path, { ...always, ...exceptions }, 60);
  rmSync(folder, { recursive: true });
}

testWith("kubernetes-validate and checkov (MANIFEST_PYTHON)")(
  "checkov finds nothing in the stack prod but what has its reason here",
  async () => {
    const secrets = { operator: "o", session: "s" };
    expectNothing(await stackGraph("prod", { "mcp-fleet:secrets": secrets }), left);
  },
);

testWith("kubernetes-validate and checkov (MANIFEST_PYTHON)")(
  "nor in one with everything that the stack leaves out",
  async () => {
    expectNothing(await graphOf(everything, [], awsCloud), used);
  },
);

/** A gateway on the internet whose calls ECS shifts, with a cache, a certificate of its own, WAF, keys, Slack. */
function everything(): void {
  const kmsKeyArn = "arn:aws:kms:eu-central-1:123456789012:key/k";
  const environment = new MCPNetwork("network", { kmsKeyArn, flowLogRetentionDays: 365 });
  const task = { environment, kmsKeyArn, logRetentionDays: 365, rollbackAlarmNames: ["slow"] };
  const notes = new MCPServerFleet("notes", {
    ...{ platform: "aws", type: "custom" },
    container: { image: "notes:1", command: "notes", secretEnv: { API_KEY: "a" } },
    aws: { ...task, taskPolicyArns: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"] },
  });
  const gateway = new MCPGateway("gateway", {
    ...{ platform: "aws", container: { image: "mcp-fleet:1" }, fleets: [notes] },
    auth: { bearerTokens: [{ name: "ada", token: "file:/run/secrets/mcp-fleet/ada" }] },
    session: { keys: [{ id: "k1", key: "file:/run/secrets/mcp-fleet/session" }] },
    secrets: { ada: "a", session: "s" },
    aws: {
      ...{ ...task, host: "mcp.example.com", dns: { zoneId: "Z1" }, public: true, ingressCidrs: ["203.0.113.0/24"] },
      ...{ sharedCache: true, accessLogsBucket: "logs", deployment: { strategy: "canary" } },
      webAclArn: "arn:aws:wafv2:eu-central-1:1:regional/webacl/a/b",
    },
  });
  new MonitoringStack("monitoring", {
    ...{ platform: "aws", gateway, notifications: { webhook: "https://hidden.example", slack: "C0123" } },
    aws: { kmsKeyArn, slackTeamId: "T0123" },
  });
}
