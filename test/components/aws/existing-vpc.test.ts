import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { awsCloud } from "../../support/aws-cloud.ts";
import { graphOf } from "../../support/graph.ts";

const folder = join(import.meta.dirname, "../../../examples/existing-vpc");

test("examples/existing-vpc makes what runs there, and nothing of the network", async () => {
  const { config } = parse(readFileSync(join(folder, "Pulumi.example.yaml"), "utf8")) as { config: object };
  const entries = Object.entries({ ...config, "existing-vpc:agentsToken": "t", "existing-vpc:sessionKey": "k" });
  const texts = entries.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]);
  pulumi.runtime.setAllConfig(Object.fromEntries(texts));
  const place = { project: "existing-vpc", stack: "example" };
  const graph = await graphOf(() => import(join(folder, "index.ts")), [], awsCloud, place);
  const types = new Set(graph.map(({ type }) => type.replace(/^aws:/, "")));
  expect(
    [...types].filter((type) => /^(ec2\/(vpc|subnet|natGateway|routeTable)|ecs\/cluster|acm\/)/.test(type)),
  ).toEqual([]);
  expect(
    graph.filter(({ type }) => type === "aws:ecs/service:Service").map(({ name, inputs }) => [name, inputs.cluster]),
  ).toEqual(
    ["gateway-service", "thinking-service"].map((name) => [
      name,
      "arn:aws:ecs:eu-central-1:123456789012:cluster/tools",
    ]),
  );
});
