import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ComponentResource, ComponentResourceOptions, Inputs, provider } from "@pulumi/pulumi";
import { MCPServerFleet } from "../fleet/mcp-server-fleet.ts";
import { MCPGateway } from "../gateway/mcp-gateway.ts";
import { MonitoringStack } from "../monitoring/monitoring-stack.ts";
import { MCPNetwork } from "../network/mcp-network.ts";

type Component = new (name: string, args: never, options: ComponentResourceOptions) => ComponentResource;

const components: Readonly<Record<string, Component>> = { MCPServerFleet, MCPGateway, MonitoringStack, MCPNetwork };

/**
 * The components as a package of Pulumi's, which programs of other languages get by
 * `packages: { mcp-fleet: ./node_modules/mcp-fleet }` in their `Pulumi.yaml`. Pulumi's own host reads the schema out of TypeScript
 * sources, which the published package does not have; here it is `package.schema.json`, which a test compares with them.
 */
export class PackageProvider implements provider.Provider {
  readonly version: string;
  /** The package schema, JSON (https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/). */
  readonly schema: string;
  readonly #outputs: Readonly<Record<string, readonly string[]>>;

  constructor() {
    const read = (path: string) => JSON.parse(readFileSync(join(import.meta.dirname, path), "utf8"));
    // One folder deeper once it is built: dist/components/package-host.
    this.version = read(import.meta.url.endsWith(".ts") ? "../../package.json" : "../../../package.json").version;
    const schema = read("../package.schema.json") as { resources: Record<string, { properties: object }> };
    this.schema = JSON.stringify({ ...schema, version: this.version });
    this.#outputs = Object.fromEntries(
      Object.entries(schema.resources).map(([type, { properties }]) => [type, Object.keys(properties)]),
    );
  }

  /** Throws for a type that the package does not have, and what the component's constructor throws. */
  async construct(name: string, type: string, inputs: Inputs, options: ComponentResourceOptions) {
    const component = components[type.split(":").at(-1) as string];
    const outputs = this.#outputs[type];
    if (component === undefined || outputs === undefined) {
      throw new Error(`${type} is no component of mcp-fleet; there are: ${Object.keys(this.#outputs).join(", ")}`);
    }
    const instance = new component(name, inputs as never, options);
    const state = Object.fromEntries(outputs.map((output) => [output, instance[output as keyof ComponentResource]]));
    return { urn: instance.urn, state };
  }
}
