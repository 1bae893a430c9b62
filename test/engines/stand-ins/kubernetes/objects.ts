/** A Kubernetes object as it is declared, or as it is in the cluster. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec?: Readonly<Record<string, unknown>> & { readonly replicas?: number; readonly type?: string };
  readonly status?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

interface Metadata {
  readonly name?: string;
  readonly namespace?: string;
  readonly generation?: number;
  readonly uid?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly managedFields?: readonly ManagedFields[];
}

/** Which fields a manager has written (kubernetes.io/docs/reference/using-api/server-side-apply). */
export interface ManagedFields {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly subresource?: string;
  readonly fieldsV1: FieldSet;
}

/** `{ "f:spec": { "f:replicas": {} } }`. */
export interface FieldSet {
  readonly [field: string]: FieldSet;
}

export const annotationOf = ({ metadata }: KubernetesObject, name: string): string | undefined =>
  metadata.annotations?.[`pulumi.com/${name}`];
export const isTrue = (object: KubernetesObject, name: string): boolean => annotationOf(object, name) === "true";

/** The provider's id: `namespace/name`, or a name alone. */
export function idOf({ metadata: { name, namespace } }: KubernetesObject): string {
  return namespace === undefined ? (name as string) : `${namespace}/${name}`;
}

/** What `kubectl` is told to find it by. */
export function place({ apiVersion, kind, metadata }: KubernetesObject): string[] {
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/", 2) : ["", apiVersion];
  const type = group === "" ? kind : `${kind}.${version}.${group}`;
  const { name, namespace } = metadata;
  return [type, name as string, ...(namespace === undefined ? [] : ["--namespace", namespace])];
}
