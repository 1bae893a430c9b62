import type { GraphNode } from "./graph.ts";
import { opened } from "./manifests.ts";

/** Types of Terraform whose names do not follow from Pulumi's. */
const irregular: Readonly<Record<string, string>> = {
  "lb/loadBalancer": "aws_lb",
  "servicediscovery/service": "aws_service_discovery_service",
  "servicediscovery/privateDnsNamespace": "aws_service_discovery_private_dns_namespace",
  "acm/certificate": "aws_acm_certificate",
  "wafv2/webAclAssociation": "aws_wafv2_web_acl_association",
};
/** Modules of Pulumi that are no part of Terraform's names. */
const unnamed = new Set(["ec2"]);
/** Their objects are values, not blocks. */
const maps = new Set(["tags"]);

/** A graph as Terraform writes a plan, for tools that check those: what it declares is the same. */
export function terraformPlan(graph: readonly GraphNode[]): object {
  const resources = graph.flatMap(({ type, name, inputs }) => {
    const [, path] = /^aws:(.+):/.exec(type) ?? [];
    if (path === undefined) return [];
    const kind = terraformType(path);
    const values = blocks(opened(inputs) as Record<string, unknown>);
    return [{ address: `${kind}.${name}`, mode: "managed", type: kind, name, values }];
  });
  return {
    format_version: "1.2",
    terraform_version: "1.9.0",
    planned_values: { root_module: { resources } },
    resource_changes: resources.map(({ address, type, name, values }) => ({
      ...{ address, type, name, mode: "managed" },
      change: { actions: ["create"], before: null, after: values },
    })),
    configuration: { root_module: {} },
  };
}

function terraformType(path: string): string {
  const [module, kind] = path.split("/") as [string, string];
  const known = irregular[path];
  if (known !== undefined) return known;
  return unnamed.has(module) ? `aws_${snake(kind)}` : `aws_${module}_${snake(kind)}`;
}

function blocks(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const name = snake(key);
      if (maps.has(key) || typeof item !== "object" || item === null) return [name, item];
      if (!Array.isArray(item)) return [name, [blocks(item as Record<string, unknown>)]];
      if (item.some((entry) => typeof entry !== "object")) return [name, item];
      // Blocks that may come several times are named in the singular.
      return [name.replace(/s$/, ""), item.map((entry) => blocks(entry as Record<string, unknown>))];
    }),
  );
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
