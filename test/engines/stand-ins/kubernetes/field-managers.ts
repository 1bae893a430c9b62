import { kubectl } from "./kubectl.ts";
import { type FieldSet, isTrue, type KubernetesObject, type ManagedFields, place } from "./objects.ts";

/** Managers of changes that this provider makes its own, operation `Update` (await.go, fixCSAFieldManagers). */
const ownUpdates = ["pulumi-kubernetes", "before-first-apply", "kubectl"];

/**
 * Hands the fields that were written at creation, by POST, over to the manager of applies (await.go, fixCSAFieldManagers);
 * fields of other managers stay theirs.
 */
export async function takeOver(live: KubernetesObject, manager: string): Promise<void> {
  const all = live.metadata.managedFields ?? [];
  const isOwn = (one: ManagedFields) =>
    one.operation === "Update" && ownUpdates.includes(one.manager) && !one.subresource;
  const written = all.filter(isOwn);
  if (written.length === 0) return;
  const applied = all.find((one) => one.operation === "Apply" && one.manager === manager);
  const sets = [...written, ...(applied === undefined ? [] : [applied])].map(({ fieldsV1 }) => fieldsV1);
  const own = { ...written[0], manager, operation: "Apply", fieldsV1: sets.reduce(union) };
  const value = [...all.filter((one) => !isOwn(one) && one !== applied), own];
  const patch = JSON.stringify([{ op: "replace", path: "/metadata/managedFields", value }]);
  await kubectl(["patch", ...place(live), "--type=json", "--field-manager", manager, "-p", patch]);
}

function union(one: FieldSet, other: FieldSet): FieldSet {
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return Object.fromEntries(keys.map((key) => [key, union(one[key] ?? {}, other[key] ?? {})]));
}

/**
 * Inputs for an apply: what is ignored is left out where only others manage it, and stays as it is where it is ours
 * (await.go, handleSSAIgnoreFields).
 */
export function withIgnored(
  inputs: KubernetesObject,
  live: KubernetesObject,
  manager: string,
  ignored: readonly string[],
): KubernetesObject {
  return ignored.reduce((declared, path) => {
    const keys = path.split(".");
    const managers = (live.metadata.managedFields ?? []).filter(({ fieldsV1 }) => holds(fieldsV1, keys));
    if (managers.length > 0 && !managers.some((one) => one.manager === manager)) return withValue(declared, keys);
    const value = keys.reduce<unknown>((node, key) => (node as Properties | undefined)?.[key], live);
    return value === undefined ? declared : withValue(declared, keys, value);
  }, inputs);
}

type Properties = Readonly<Record<string, unknown>>;

/** A copy in which this is another value, or, without one, is not there. */
function withValue<Node extends Properties>(node: Node, [key, ...rest]: readonly string[], value?: unknown): Node {
  const { [key as string]: before, ...others } = node;
  const now = rest.length === 0 ? value : withValue((before ?? {}) as Properties, rest, value);
  return (now === undefined ? others : { ...others, [key as string]: now }) as Node;
}

const holds = (fields: FieldSet, keys: readonly string[]): boolean =>
  keys.reduce<FieldSet | undefined>((node, key) => node?.[`f:${key}`], fields) !== undefined;

/** Does an apply take fields from other managers? (await.go, patchForce) */
export function isForced(inputs: KubernetesObject, live: KubernetesObject, preview: boolean): boolean {
  if (isTrue(inputs, "patchForce")) return true;
  const managed = live.metadata.managedFields ?? [];
  return (
    managed.length === 0 ||
    (preview && managed.some((one) => one.operation === "Update" && one.manager === "pulumi-kubernetes"))
  );
}
