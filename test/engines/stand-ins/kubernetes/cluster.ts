import { setTimeout as sleep } from "node:timers/promises";
import { isForced, takeOver, withIgnored } from "./field-managers.ts";
import { isAlreadyThere, isConflict, isNoMatch, isNotFound, kubectl, live } from "./kubectl.ts";
import { idOf, isTrue, type KubernetesObject, place } from "./objects.ts";
import { awaited, NotReady } from "./waits.ts";

const existing = `The resource already exists in the cluster. This can happen when:

  - Renaming a Pulumi resource: use an alias to preserve the identity,
    or use deleteBeforeReplace if the resource needs replacement.
  - Managing an existing resource: use a Patch resource (e.g. NamespacePatch)
    to manage specific fields without owning the resource lifecycle.
  - Adopting a resource into Pulumi: use \`pulumi import\`. Note that
    protected resources (e.g. kube-system) cannot be deleted on destroy.
  - Intentional upsert: set upsertExistingObjects on the provider to allow
    server-side apply to update existing objects on create.`;
const conflicts =
  "server-side apply field conflict detected, see https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources for troubleshooting help";
/** Between five further tries of a creation whose kind or namespace is not there, with a factor of 2 (await.go, Creation). */
const firstRetryMs = 1000;

/** What the engine is to be told, whatever it was that failed. */
export interface Making {
  readonly urn: string;
  readonly preview: boolean;
  /** 0 for the provider's own ten minutes. */
  readonly seconds: number;
}

/** POST: what exists is refused (await.go, Creation). Undefined in a preview that the API server cannot answer. */
export async function create(object: KubernetesObject, making: Making): Promise<KubernetesObject | undefined> {
  const { preview, urn, seconds } = making;
  if (preview && (await isUnknownKind(object))) return undefined;
  let made: KubernetesObject;
  try {
    made = await posted(object, preview);
  } catch (error) {
    if (preview && (isAlreadyThere(error) || /namespaces ".*" not found/.test(String(error)))) return undefined;
    if (isAlreadyThere(error)) throw failure(urn, `${told(error)}\n\n${existing}`);
    if (!isNoMatch(error)) throw failure(urn, told(error));
    throw new Error(
      `creation of resource "${urn}" with kind ${object.apiVersion}/${object.kind} failed because the Kubernetes API server reported that the apiVersion for this resource does not exist. Verify that any required CRDs have been created: ${told(error)}`,
    );
  }
  if (preview) return made;
  try {
    return await awaited(made, undefined, seconds);
  } catch (error) {
    const why = `resource "${urn}" was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live`;
    throw error instanceof NotReady ? new NotReady(`${why}: ${error.message}`, error.object, error.reasons) : error;
  }
}

async function posted(object: KubernetesObject, preview: boolean): Promise<KubernetesObject> {
  const dry = preview ? ["--dry-run=server"] : [];
  for (let tries = 0; ; tries += 1) {
    try {
      const manager = "--field-manager=pulumi-kubernetes";
      const text = await kubectl(["create", manager, ...dry, "-o", "json", "-f", "-"], JSON.stringify(object));
      return JSON.parse(text) as KubernetesObject;
    } catch (error) {
      if (preview || tries === 5 || !(isNotFound(error) || isNoMatch(error))) throw error;
      await sleep(firstRetryMs * 2 ** tries);
    }
  }
}

/**
 * Server-side apply, without force unless an annotation asks for it (await.go, Update and ssaUpdate). A conflict fails with
 * the object as it is, so that the state has the new inputs; in a preview too.
 */
export async function update(
  inputs: KubernetesObject,
  manager: string,
  ignored: readonly string[],
  making: Making,
): Promise<KubernetesObject | undefined> {
  const { preview, seconds } = making;
  if (preview && (await isUnknownKind(inputs))) return undefined;
  const before = await live(inputs);
  if (before === undefined) throw new Error(`update of resource "${making.urn}" failed: ${idOf(inputs)} is not found`);
  const fails = (error: Error, object: KubernetesObject, reasons: readonly string[]) => {
    const why = `the Kubernetes API server reported that "${idOf(inputs)}" failed to fully initialize or become live`;
    return new NotReady(`${why}: ${error.message}`, object, reasons);
  };
  try {
    if (!preview) await takeOver(before, manager);
    const now = preview ? before : ((await live(inputs)) as KubernetesObject);
    const { managedFields: _, ...metadata } = inputs.metadata;
    const declared = withIgnored({ ...inputs, metadata }, now, manager, ignored);
    const options = [
      ...["--server-side", `--field-manager=${manager}`, "-o", "json"],
      ...(isForced(inputs, now, preview) ? ["--force-conflicts"] : []),
      ...(preview ? ["--dry-run=server"] : []),
    ];
    const text = await kubectl(["apply", ...options, "-f", "-"], JSON.stringify(declared));
    const made = JSON.parse(text) as KubernetesObject;
    return preview ? made : await awaited(made, before, seconds);
  } catch (error) {
    if (error instanceof NotReady) throw fails(error, error.object, error.reasons);
    const cause = isConflict(error)
      ? `${conflicts}\nThe resource managed by field manager "${manager}" had an apply conflict: ${told(error)}`
      : told(error);
    throw fails(new Error(cause), before, []);
  }
}

/** Deletes it and what belongs to it, and waits until it is gone (await.go, Deletion; metadata/overrides.go, DeletedCondition). */
export async function remove(object: KubernetesObject, seconds: number): Promise<void> {
  const awaits = object.kind !== "Deployment" || !isTrue(object, "skipAwait");
  const waits = awaits ? ["--wait", `--timeout=${seconds > 0 ? seconds : 600}s`] : ["--wait=false"];
  try {
    await kubectl(["delete", "--ignore-not-found", "--cascade=foreground", ...waits, ...place(object)]);
  } catch (error) {
    if (!isNoMatch(error)) throw error;
  }
}

/** A kind whose definition is not there is not previewed (provider.go, gvkExists). */
async function isUnknownKind(object: KubernetesObject): Promise<boolean> {
  try {
    await live(object);
    return false;
  } catch (error) {
    if (isNoMatch(error)) return true;
    throw error;
  }
}

const failure = (urn: string, why: string): Error =>
  new Error(`resource "${urn}" was not successfully created by the Kubernetes API server: ${why}`);

/** The API server's own words, without those of `kubectl`. */
function told(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^error: /, "").replace(/^Error from server \(\w+\): (error when creating "STDIN": )?/, "");
}
