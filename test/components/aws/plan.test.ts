import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { readConfig } from "../../../infra/config.ts";
import { deploy } from "../../../infra/program.ts";
import { awsCloud } from "../../support/aws-cloud.ts";
import { expectChecked } from "../../support/checkov.ts";
import { graphOf } from "../../support/graph.ts";
import { testWith } from "../../support/needs.ts";
import { terraformPlan } from "../../support/terraform-plan.ts";

/** Checks that do not apply, each with its reason. Everything else must pass. */
const exceptions: Readonly<Record<string, string>> = {
  CKV2_AWS_11: "there is a flow log (network-flow-log); the check follows references, and a graph has ids",
  CKV2_AWS_12: "the default group has no rules (network-default-security); likewise",
  CKV2_AWS_19: "the addresses are those of the NAT gateways; likewise",
  CKV2_AWS_5: "the groups are those of services and of the load balancer; likewise",
  CKV2_AWS_57: "the values are the stack's own: a new one is set there, and renews the tasks",
  CKV_AWS_149: "without kmsKeyArn AWS's own key encrypts; a key of one's own is the user's choice",
  CKV_AWS_158: "likewise for logs",
  CKV_AWS_26:
    "CloudWatch may not speak in a topic that AWS's own key encrypts; monitoring.aws.kmsKeyArn gives one of one's own",
  CKV_AWS_338: "logs are kept for thirty days unless logRetentionDays says otherwise",
  CKV_AWS_378: "TLS ends at the load balancer; behind it calls stay in private subnets, between two security groups",
  CKV_AWS_91: "access logs need a bucket: accessLogsBucket",
};

testWith("kubernetes-validate and checkov (MANIFEST_PYTHON)")(
  "checkov finds nothing in the stack prod but what has its reason here",
  async () => {
    const file = join(import.meta.dirname, "../../../stacks/Pulumi.prod.yaml");
    const { config } = parse(readFileSync(file, "utf8"));
    const secrets = { operator: "o", session: "s" };
    const values = Object.entries({ ...config, "mcp-fleet:secrets": secrets }).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    const program = () => {
      pulumi.runtime.setAllConfig(Object.fromEntries(values), ["mcp-fleet:secrets"]);
      return deploy(readConfig());
    };
    const graph = await graphOf(program, [], awsCloud, { project: "mcp-fleet", stack: "prod" });
    const folder = mkdtempSync(join(tmpdir(), "plan-test-"));
    const path = join(folder, "plan.json");
    writeFileSync(path, JSON.stringify(terraformPlan(graph)));
    expectChecked("terraform_plan", path, exceptions, 60);
    rmSync(folder, { recursive: true });
  },
);
