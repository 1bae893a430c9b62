import { isDeepStrictEqual } from "node:util";
import {
  checked,
  compared,
  created,
  found,
  type Handler,
  nothing,
  type Properties,
  plain,
  type Struct,
  unknownValue,
  updated,
  wire,
} from "../protocol.ts";
import { apply, type KubernetesObject, read, remove } from "./cluster.ts";

const hasUnknown = (value: unknown): boolean => JSON.stringify(value).includes(unknownValue);
const object = (value: Properties): KubernetesObject => value as unknown as KubernetesObject;

/** What a change of cannot be applied to an object that exists. */
const fixed = (kind: string): string[] => [
  "apiVersion",
  "kind",
  ...(kind === "Deployment" ? ["spec.selector"] : []),
  ...(kind === "ConfigMap" ? ["data"] : []),
  ...(kind === "RoleBinding" ? ["roleRef"] : []),
];

const at = (value: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((node, key) => (node as Properties | undefined)?.[key], value);

/**
 * A stand-in for the Kubernetes provider plugin, for machines that cannot get it: it does to the real cluster what the
 * components have declared, by `kubectl`. It is not the provider: its diffs are plain comparisons, and it waits for
 * Deployments only.
 */
export const standIn: Readonly<Record<string, Handler>> = {
  check: async (request) => {
    const { __defaults: _, ...inputs } = plain(request.getNews());
    return checked(wire(inputs) as unknown as Struct);
  },
  diff: async (request) => {
    const [before, after] = [plain(request.getOldInputs()), plain(request.getNews())];
    const { kind } = object(after);
    const [old, now] = [object(before).metadata, object(after).metadata];
    const moved = old.name !== now.name || old.namespace !== now.namespace;
    const replaces = fixed(kind).filter((path) => !isDeepStrictEqual(at(before, path), at(after, path)));
    const changed = Object.keys({ ...before, ...after }).filter((key) => !isDeepStrictEqual(before[key], after[key]));
    return compared(changed, moved ? [...replaces, "metadata.name"] : replaces, !moved);
  },
  create: async (request) => {
    const inputs = plain(request.getProperties());
    if (request.getPreview()) return created(undefined, inputs);
    const live = await apply(object(inputs));
    return created(idOf(live), live);
  },
  update: async (request) => {
    const inputs = plain(request.getNews());
    return updated(request.getPreview() ? { ...plain(request.getOlds()), ...inputs } : await apply(object(inputs)));
  },
  read: async (request) => {
    const inputs = plain(request.getInputs());
    const live = await read(object(hasUnknown(inputs) ? plain(request.getProperties()) : inputs));
    if (live === undefined) return found();
    return found({ id: request.getId(), inputs: declaredOf(inputs, live) as Properties, properties: live });
  },
  delete: async (request) => {
    await remove(object(plain(request.getProperties())));
    return nothing();
  },
};

/** What is live now of all that was declared: a difference from the declaration is drift. Secrets are stored otherwise than they are given. */
function declaredOf(declared: unknown, live: unknown): unknown {
  if (Array.isArray(declared)) {
    return Array.isArray(live) && live.length === declared.length
      ? declared.map((item, index) => declaredOf(item, live[index]))
      : live;
  }
  if (typeof declared !== "object" || declared === null) return live;
  const found = (live ?? {}) as Properties;
  const entries = Object.entries(declared).map(([key, item]) => {
    if (key === "stringData") return [key, item];
    // An empty collection is not kept by the API server.
    const empty = typeof item === "object" && item !== null && Object.keys(item).length === 0;
    return [key, found[key] === undefined && empty ? item : declaredOf(item, found[key])];
  });
  return Object.fromEntries(entries);
}

function idOf({ metadata: { name, namespace } }: KubernetesObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
