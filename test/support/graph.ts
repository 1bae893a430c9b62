import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";

/** A resource as a program has registered it. */
export interface GraphNode {
  readonly type: string;
  readonly name: string;
  /** Name of its parent; empty at the stack's own level. */
  readonly parent: string;
  /** Names of what must be there before it, sorted. */
  readonly dependsOn: readonly string[];
  /** Names, types or URNs that it had before. */
  readonly aliases: readonly string[];
  /** Paths of inputs whose changes are left alone; undefined in a node that no program has registered. */
  readonly ignoreChanges?: readonly string[];
  /** Its inputs; a secret stands as `{ secret: value }`. */
  readonly inputs: Record<string, unknown>;
}

/** What a cloud makes known of a resource, and what it answers to questions. */
export interface Cloud {
  computed(type: string, name: string): Record<string, unknown>;
  answer(token: string): Record<string, unknown>;
  /** What it makes of inputs that are given. Defaults to nothing. */
  outputs?(type: string, name: string): Record<string, unknown>;
}

interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getDependenciesList(): string[];
  getAliasesList(): { getUrn(): string; getSpec(): { getName(): string; getType(): string } | undefined }[];
  getIgnorechangesList(): string[];
  getObject(): { toJavaScript(): Record<string, unknown> };
}

const signature = "4dabf18193072939515e22adb298388d";
const secret = "1b47061264138c4ac30d75fd1eb44270";
const waitForRPCs = () => (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();

/**
 * The graph that a program makes, in the order of names. Pulumi's own mocks do not show parents, dependencies, aliases
 * and secrets, so the monitor is listened to. Rejects with what the program throws; `registered` has what it made before.
 */
export async function graphOf(
  program: () => unknown,
  registered: GraphNode[] = [],
  cloud: Cloud = { computed: () => ({}), answer: () => ({}) },
  { project, stack } = { project: "shop", stack: "test" },
): Promise<GraphNode[]> {
  const prototype = MockMonitor.prototype as unknown as {
    registerResource(request: Request, callback: unknown): Promise<void>;
  };
  const original = prototype.registerResource;
  prototype.registerResource = function (request, callback) {
    registered.push({
      type: request.getType(),
      name: request.getName(),
      parent: nameIn(request.getParent()),
      dependsOn: request.getDependenciesList().map(nameIn).sort(),
      aliases: request
        .getAliasesList()
        .map((alias) => alias.getSpec()?.getName() || alias.getSpec()?.getType() || alias.getUrn()),
      ignoreChanges: request.getIgnorechangesList(),
      inputs: readable(request.getObject().toJavaScript()) as Record<string, unknown>,
    });
    return original.call(this, request, callback);
  };
  const newResource = ({ type, name, inputs }: pulumi.runtime.MockResourceArgs) => ({
    id: `${name}-id`,
    state: { ...cloud.computed(type, name), ...named(type, name, inputs), ...cloud.outputs?.(type, name) },
  });
  const call = ({ token, inputs }: pulumi.runtime.MockCallArgs) => ({ ...inputs, ...cloud.answer(token) });
  await pulumi.runtime.setMocks({ newResource, call }, project, stack, false);
  try {
    await program();
  } finally {
    await waitForRPCs();
    prototype.registerResource = original;
  }
  return registered.filter(({ type }) => type !== "pulumi:pulumi:Stack").sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Type, name and parent: what a state depends on. */
export function triples(graph: readonly GraphNode[]): string[] {
  return graph.map(({ type, name, parent }) => `${type} ${name} < ${parent}`);
}

/** The provider for Kubernetes names what has no name (metadata/naming.go of pulumi-kubernetes). */
function named(type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> {
  const metadata = inputs.metadata as { name?: string } | undefined;
  if (!type.startsWith("kubernetes:") || metadata === undefined || metadata.name !== undefined) return inputs;
  return { ...inputs, metadata: { ...metadata, name: `${name}-0a1b2c3d` } };
}

function nameIn(urn: string): string {
  return urn === "" || urn.includes("pulumi:pulumi:Stack::") ? "" : (urn.split("::").pop() as string);
}

function readable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  const { [signature]: mark, ...rest } = value as Record<string, unknown>;
  if (mark === secret) return { secret: readable(rest.value) };
  return Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, readable(item)]));
}
