import { randomBytes } from "node:crypto";
import {
  checked,
  compared,
  configured,
  created,
  found,
  type Handler,
  nothing,
  PartialFailure,
  type Properties,
  plain,
  type Request,
  type Struct,
  unknownValue,
  updated,
  wire,
} from "../protocol.ts";
import { create, remove, update } from "./cluster.ts";
import { differences, pruned } from "./differences.ts";
import { isNoMatch, isUnreachable, live } from "./kubectl.ts";
import { named } from "./naming.ts";
import { idOf, type KubernetesObject } from "./objects.ts";
import { checkedWhenRead, NotReady } from "./waits.ts";

const hasUnknown = (value: unknown): boolean => JSON.stringify(value).includes(unknownValue);
const object = (value: Properties): KubernetesObject => value as unknown as KubernetesObject;
const nameIn = (request: Request): string => request.getUrn().split("::").at(-1) as string;
const managerKey = "__fieldManager";
const mutable = { secrets: false, configMaps: false };

/** A preview of what is for a cluster that cannot be reached shows the inputs (provider.go, Create and Update: `skipPreview`). */
const unlessUnreachable =
  (preview: boolean) =>
  (error: unknown): undefined => {
    if (!preview || !isUnreachable(error)) throw error;
  };

/** What the engine keeps: the live object, and who manages its fields. */
const kept = ({ metadata, ...rest }: KubernetesObject, manager: string): object => {
  const { managedFields: _, ...shown } = metadata;
  return { ...rest, metadata: shown, [managerKey]: manager };
};

/** An object that does not work is in the state all the same (provider.go, partialError). */
async function settled<Answer>(id: (made: KubernetesObject) => string, manager: string, work: () => Promise<Answer>) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NotReady)) throw error;
    throw new PartialFailure(error.message, id(error.object), kept(error.object, manager), [
      error.message,
      ...error.reasons,
    ]);
  }
}

/**
 * A stand-in for the Kubernetes provider plugin (pulumi-kubernetes 4.34.2), for machines that cannot get it. It does to the
 * real cluster by `kubectl` what the plugin does by Go's client, and behaves as its source has it, faults included; each
 * file names the place there. It takes no marked secrets and makes none of the plugin's own resources (Helm, YAML, Patch).
 */
export const standIn: Readonly<Record<string, Handler>> = {
  configure: async (request) => {
    // Of the stack's configuration; texts.
    const args = plain(request.getArgs());
    mutable.secrets = String(args.enableSecretMutable) === "true";
    mutable.configMaps = String(args.enableConfigMapMutable) === "true";
    return configured();
  },
  check: async (request) => {
    const { __defaults: _, ...inputs } = plain(request.getNews());
    const olds = request.getOlds() === undefined ? undefined : object(plain(request.getOlds()));
    return checked(wire(named(object(inputs), olds, nameIn(request))) as unknown as Struct);
  },
  diff: async (request) => {
    const [state, olds, news] = [request.getOlds(), request.getOldInputs(), request.getNews()].map((one) =>
      object(plain(one)),
    ) as [KubernetesObject, KubernetesObject, KubernetesObject];
    const { changed, replaces, deleteFirst } = differences(state, olds, news, request.getIgnorechangesList(), mutable);
    return compared(topLevel(changed), topLevel(replaces), deleteFirst);
  },
  create: async (request) => {
    const inputs = plain(request.getProperties());
    const preview = request.getPreview();
    if (preview && hasUnknown(inputs)) return created(undefined, inputs);
    const manager = `pulumi-kubernetes-${randomBytes(4).toString("hex")}`;
    const making = { urn: request.getUrn(), preview, seconds: request.getTimeout() };
    return settled(idOf, manager, async () => {
      const made = await create(object(inputs), making).catch(unlessUnreachable(preview));
      if (made === undefined) return created(undefined, inputs);
      return created(preview ? undefined : idOf(made), kept(made, manager));
    });
  },
  update: async (request) => {
    const [inputs, state] = [plain(request.getNews()), plain(request.getOlds())];
    const preview = request.getPreview();
    if (preview && hasUnknown(inputs)) return updated({ ...state, ...inputs });
    const manager = state[managerKey] as string;
    const making = { urn: request.getUrn(), preview, seconds: request.getTimeout() };
    return settled(idOf, manager, async () => {
      const ignored = request.getIgnorechangesList();
      const made = await update(object(inputs), manager, ignored, making).catch(unlessUnreachable(preview));
      return updated(made === undefined ? inputs : kept(made, manager));
    });
  },
  read: async (request) => {
    const [inputs, state] = [plain(request.getInputs()), plain(request.getProperties())];
    const now = await live(object(hasUnknown(inputs) ? state : inputs)).catch((error: unknown) => {
      // Its definition has gone, and so has it.
      if (isNoMatch(error)) return undefined;
      throw error;
    });
    if (now === undefined) return found();
    const manager = state[managerKey] as string;
    // Secrets are kept otherwise than they are given.
    const declared = {
      ...(pruned(now, inputs) as object),
      ...("stringData" in inputs ? { stringData: inputs.stringData } : {}),
    };
    return settled(
      () => request.getId(),
      manager,
      async () => {
        await checkedWhenRead(now);
        return found({ id: request.getId(), inputs: declared, properties: kept(now, manager) });
      },
    );
  },
  delete: async (request) => {
    await remove(object(plain(request.getProperties())), request.getTimeout());
    return nothing();
  },
};

/** The engine shows properties, not paths within them. */
function topLevel(paths: readonly string[]): string[] {
  return [...new Set(paths.map((path) => path.split(".")[0] as string))];
}
