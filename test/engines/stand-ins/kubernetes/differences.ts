import { isDeepStrictEqual } from "node:util";
import { isAutonamed } from "./naming.ts";
import type { KubernetesObject } from "./objects.ts";

/** What a stack says of the provider: `kubernetes:enableSecretMutable`. */
export interface MutableKinds {
  readonly secrets: boolean;
  readonly configMaps: boolean;
}

type Properties = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What cannot be changed in an object that exists (provider/pkg/provider/diff.go, forceNewProperties). */
function forceNew({ kind, immutable }: KubernetesObject, mutable: MutableKinds): string[] {
  const always = ["metadata.name", "metadata.namespace"];
  if (kind === "Secret" && (!mutable.secrets || immutable === true)) return [...always, "type", "stringData", "data"];
  if (kind === "Secret") return [...always, "type"];
  if (kind === "ConfigMap" && (!mutable.configMaps || immutable === true)) return [...always, "binaryData", "data"];
  if (kind === "Deployment") return [...always, "spec.selector"];
  if (kind === "Service") return [...always, "spec.clusterIP"];
  if (kind === "RoleBinding") return [...always, "roleRef"];
  return always;
}

/** Of the live object what has been declared before (provider/pkg/provider/util.go, pruneMap and pruneSlice). */
export function pruned(live: unknown, declared: unknown): unknown {
  if (Array.isArray(live) && Array.isArray(declared)) return live.map((item, at) => pruned(item, declared[at] ?? item));
  if (!isObject(live) || !isObject(declared)) return live;
  const shared = Object.keys(live).filter((key) => key in declared);
  return Object.fromEntries(shared.map((key) => [key, pruned(live[key], declared[key])]));
}

/** `stringData` as the API server keeps it (provider/pkg/clients/unstructured.go, normalizeSecret). */
export function normalized(object: KubernetesObject): KubernetesObject {
  const { stringData, ...rest } = object;
  if (object.kind !== "Secret" || !isObject(stringData)) return object;
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(String(text)).toString("base64")]);
  return {
    ...rest,
    data: { ...(rest.data as object | undefined), ...Object.fromEntries(encoded) },
  } as KubernetesObject;
}

/** What differs between the state and what is declared now. */
export interface Differences {
  /** Paths: `spec.template`. */
  readonly changed: readonly string[];
  readonly replaces: readonly string[];
  readonly deleteFirst: boolean;
}

/** As provider/pkg/provider/provider.go, Diff: the live state, as far as it was declared, against the new inputs. */
export function differences(
  state: KubernetesObject,
  olds: KubernetesObject,
  news: KubernetesObject,
  ignored: readonly string[],
  mutable: MutableKinds,
): Differences {
  const before = pruned(state, normalized(olds));
  const changed = changes(before, normalized(news)).filter((path) => !ignored.some((one) => within(path, one)));
  const fixed = forceNew(news, mutable);
  const replaces = changed.filter((path) => fixed.some((one) => within(path, one) || within(one, path)));
  const samePlace = state.metadata.name === news.metadata.name;
  return { changed, replaces, deleteFirst: replaces.length > 0 && !isAutonamed(news) && samePlace };
}

const within = (path: string, other: string): boolean => path === other || path.startsWith(`${other}.`);

/** Paths of values that are not the same; an empty collection is not kept by the API server. */
function changes(before: unknown, now: unknown, path = ""): string[] {
  if (isDeepStrictEqual(before, now) || (before === undefined && isEmpty(now))) return [];
  if (Array.isArray(before) && Array.isArray(now) && before.length === now.length)
    return now.flatMap((item, at) => changes(before[at], item, `${path}.${at}`));
  if (!isObject(before) || !isObject(now)) return [path];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return keys.flatMap((key) => changes(before[key], now[key], path === "" ? key : `${path}.${key}`));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === "object" && Object.values(value).every(isEmpty) && Object.keys(value).length === 0;
}
