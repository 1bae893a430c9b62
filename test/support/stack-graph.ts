import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { readConfig } from "../../infra/config.ts";
import { deploy } from "../../infra/program.ts";
import { awsCloud } from "./aws-cloud.ts";
import { type GraphNode, graphOf } from "./graph.ts";

const root = join(import.meta.dirname, "../..");

/** The graph of a stack as its file says, with what a user adds to it, which is secret as a whole. */
export function stackGraph(stack: string, added: Record<string, unknown> = {}): Promise<GraphNode[]> {
  const { config } = parse(readFileSync(join(root, `stacks/Pulumi.${stack}.yaml`), "utf8"));
  const values = Object.entries({ ...config, ...added }).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const program = () => {
    pulumi.runtime.setAllConfig(Object.fromEntries(values), Object.keys(added));
    return deploy(readConfig());
  };
  return graphOf(program, [], stack === "prod" ? awsCloud : undefined, { project: "mcp-fleet", stack });
}
